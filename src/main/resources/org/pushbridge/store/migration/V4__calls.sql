-- Calls that are alive. They are numbered as they come, so that the eldest is taken up first after a restart.
CREATE TABLE calls (
  place   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  call_id UUID   NOT NULL UNIQUE,
  invite  BYTEA  NOT NULL,
  state   BYTEA  NOT NULL
);
