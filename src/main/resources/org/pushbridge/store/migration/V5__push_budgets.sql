-- What is known of VoIP pushes that led to no REGISTER. No reference to devices: a device that is forgotten and registers
-- anew has the same id, and iOS has not forgotten what its app wasted.
CREATE TABLE push_budgets (
  device_id     VARCHAR(16) NOT NULL PRIMARY KEY,
  wasted        INTEGER     NOT NULL,
  waiting_since BIGINT,
  paused_until  BIGINT,
  refusal_known BOOLEAN     NOT NULL
);
