#!/bin/sh
# Run once by the database's container, as the database's user, when its volume is new: makes the service's role and its
# database. The role owns that database and nothing else; it is no superuser and cannot make roles or databases.
# psql reads the password from its file, so that it stands in no process's arguments.
set -eu
export ROLE_PASSWORD_FILE="${ROLE_PASSWORD_FILE:-/run/secrets/role_password}"
psql -v ON_ERROR_STOP=1 <<'SQL'
\set password `cat "$ROLE_PASSWORD_FILE"`
CREATE ROLE aquila LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE aquila OWNER aquila;
REVOKE ALL ON DATABASE aquila FROM PUBLIC;
SQL
