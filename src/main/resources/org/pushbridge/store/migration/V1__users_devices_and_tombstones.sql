-- One dialect for H2 and PostgreSQL. Points in time (.._at) and durations are nanoseconds, the former since
-- 1970-01-01 UTC: neither database has a type that keeps every digit of a Java Instant and that the other one has too.

CREATE TABLE users (
  aor_user   VARCHAR     NOT NULL,
  aor_host   VARCHAR     NOT NULL,
  ha1_md5    VARCHAR(32) NOT NULL,
  ha1_sha256 VARCHAR(64) NOT NULL,
  PRIMARY KEY (aor_user, aor_host)
);

-- The columns from environment to prid are the push target; all are null if there is none. There is no index by address:
-- only the removal of a user would use it, and every REGISTER would pay for it.
CREATE TABLE devices (
  device_id     VARCHAR(16) NOT NULL PRIMARY KEY,
  aor_user      VARCHAR     NOT NULL,
  aor_host      VARCHAR     NOT NULL,
  identity      VARCHAR     NOT NULL,
  environment   VARCHAR,
  team_id       VARCHAR,
  bundle_id     VARCHAR,
  voip_token    VARCHAR,
  regular_token VARCHAR,
  registered_at BIGINT,
  provider      VARCHAR,
  param         VARCHAR,
  prid          VARCHAR,
  target_fault  VARCHAR
);

CREATE TABLE bindings (
  device_id          VARCHAR(16)   NOT NULL REFERENCES devices ON DELETE CASCADE,
  place              INTEGER       NOT NULL,
  contact            VARCHAR       NOT NULL,
  contact_parameters VARCHAR       NOT NULL,
  q                  INTEGER       NOT NULL,
  reg_id             INTEGER,
  transport          VARCHAR       NOT NULL,
  local_address      VARCHAR       NOT NULL,
  local_port         INTEGER       NOT NULL,
  remote_address     VARCHAR       NOT NULL,
  remote_port        INTEGER       NOT NULL,
  connection         BIGINT        NOT NULL,
  path               VARCHAR ARRAY NOT NULL,
  call_id            VARCHAR       NOT NULL,
  cseq               BIGINT        NOT NULL,
  registered_at      BIGINT        NOT NULL,
  expires            BIGINT        NOT NULL,
  user_agent         VARCHAR       NOT NULL,
  dialog_events      BOOLEAN       NOT NULL,
  PRIMARY KEY (device_id, place)
);

-- No reference to devices: a device that is forgotten and registers anew has the same id, and its verdict is still due.
CREATE TABLE tombstones (
  call_id    UUID        NOT NULL,
  device_id  VARCHAR(16) NOT NULL,
  ended_at   BIGINT      NOT NULL,
  expires_at BIGINT      NOT NULL,
  reason     VARCHAR     NOT NULL,
  PRIMARY KEY (device_id, call_id)
);

CREATE INDEX tombstones_by_expiry ON tombstones (expires_at);
