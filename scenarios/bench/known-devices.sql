-- Users and devices in bulk, for the benchmark: user FROM to user FROM + COUNT - 1 of example.com, each with one iPhone
-- that has a push target and is asleep. They are those that stage.sh's "phones ... asleep" lists. For H2, while no server
-- has the file open; the words in capitals with an @ are replaced.

INSERT INTO users
SELECT
  'user' || x, 'example.com',
  LOWER(RAWTOHEX(HASH('MD5', STRINGTOUTF8('user' || x || ':example.com:@PASSWORD')))),
  LOWER(RAWTOHEX(HASH('SHA-256', STRINGTOUTF8('user' || x || ':example.com:@PASSWORD'))))
FROM SYSTEM_RANGE(@FROM, @FROM + @COUNT - 1);

INSERT INTO devices (device_id, aor_user, aor_host, identity, environment, team_id, bundle_id, voip_token, registered_at,
  provider, param, prid)
SELECT
  LOWER(LEFT(RAWTOHEX(HASH('SHA-256', STRINGTOUTF8('sip:user' || x || '@example.com' || CHAR(0) || identity))), 16)),
  'user' || x, 'example.com', identity, 'PRODUCTION', '@TEAM', '@APP', token, @NOW,
  'apns', '@TEAM.@APP.voip', token
FROM (
  SELECT
    x,
    'instance:urn:uuid:' || LPAD(LOWER(TO_CHAR(x, 'FMXXXXXXXX')), 8, '0') || '-0000-4000-8000-'
      || LPAD(LOWER(TO_CHAR(x, 'FMXXXXXXXX')), 12, '0') AS identity,
    LPAD(LOWER(TO_CHAR(x + 1, 'FMXXXXXXXX')), 64, '0') AS token
  FROM SYSTEM_RANGE(@FROM, @FROM + @COUNT - 1)
);
