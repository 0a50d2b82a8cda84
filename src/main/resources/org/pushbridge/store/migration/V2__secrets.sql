-- What the bridge made up once and must not forget, such as the key of the verdict tokens; hexadecimal.
CREATE TABLE secrets (
  name   VARCHAR NOT NULL PRIMARY KEY,
  secret VARCHAR NOT NULL
);
