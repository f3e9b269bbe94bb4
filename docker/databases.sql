-- What the Postgres image runs once, when its volume is empty: a database for each of the three
-- that keep something in it, each with an owner of its own, whom the other two let in nowhere.
\set ON_ERROR_STOP on
\getenv mlflow_password MLFLOW_PASSWORD
\getenv dagster_password DAGSTER_PASSWORD
\getenv ledger_password LEDGER_PASSWORD

CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE ROLE dagster LOGIN PASSWORD :'dagster_password';
CREATE ROLE ledger LOGIN PASSWORD :'ledger_password';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE dagster OWNER dagster;
CREATE DATABASE ledger OWNER ledger;
REVOKE CONNECT ON DATABASE mlflow, dagster, ledger, postgres FROM PUBLIC;
