"""Tests of collecting from Fediverse hosts, over real HTTP on loopback."""
