"""The least that can be written with FastAPI to tag a photo: what `reds serve` is compared with.

What belongs here: one endpoint without any limit, check, log or page, that runs the same
encoder and the same head. What does not: anything else. It runs in a process of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from reds_pipeline.embedding.encoder import EncoderSpec, load_encoder
from reds_pipeline.imaging.resize import square
from reds_pipeline.modeling.bundle import load_bundle


def application(bundle_directory: Path, backbone: str, weights: Path | None) -> FastAPI:
    """Return the application."""
    bundle = load_bundle(bundle_directory)
    encoder = load_encoder(EncoderSpec(backbone, weights))
    application = FastAPI()

    def tags(data: bytes) -> dict[str, float]:
        features = encoder(square(data, encoder.input_size)[0][None])
        chances = bundle.predict(features)[0]
        return dict(zip(bundle.classes, map(float, chances), strict=True))

    @application.post("/tags")
    async def tag(request: Request) -> dict[str, float]:
        return await run_in_threadpool(tags, await request.body())

    return application


if __name__ == "__main__":
    directory, name, weights_directory, port = sys.argv[1:]
    served = application(
        Path(directory), name, Path(weights_directory) if weights_directory else None
    )
    uvicorn.run(served, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
