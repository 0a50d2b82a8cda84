-- What a device is told of a call that ended: whose call it was, whether the device has it by SIP, and whether it knows.

ALTER TABLE tombstones ADD COLUMN from_uri     VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE tombstones ADD COLUMN display_name VARCHAR DEFAULT '' NOT NULL;
ALTER TABLE tombstones ADD COLUMN had          BOOLEAN DEFAULT FALSE NOT NULL;
ALTER TABLE tombstones ADD COLUMN told         BOOLEAN DEFAULT FALSE NOT NULL;
