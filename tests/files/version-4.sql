-- A store as version 4 of the schema wrote it, dumped by the sqlite3 shell: one type known by integers, one by integers and
-- texts, two by texts whose names differ by case, one without definitions.
PRAGMA application_id = 1665234034;
PRAGMA user_version = 4;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE attr_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema INTEGER NOT NULL,
    folding TEXT NOT NULL,
    catalog INTEGER NOT NULL,
    last_definition INTEGER NOT NULL
, mark INTEGER NOT NULL DEFAULT 0, last_ordinal INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO attr_state VALUES(1,4,'NFC(unicase 2 full fold(NFC))',6,10,-8500707693080463150,0);
CREATE TABLE attr_commit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT,
    note TEXT,
    touched BLOB NOT NULL
) STRICT;
INSERT INTO attr_commit VALUES(1,1795617480099114,NULL,NULL,X'3a30000000000000');
INSERT INTO attr_commit VALUES(2,1795617480115000,NULL,NULL,X'3a30000000000000');
INSERT INTO attr_commit VALUES(3,1795617480129073,NULL,NULL,X'3a30000000000000');
INSERT INTO attr_commit VALUES(4,1795617480138915,NULL,NULL,X'3a30000000000000');
INSERT INTO attr_commit VALUES(5,1795617480146899,NULL,NULL,X'3a30000000000000');
INSERT INTO attr_commit VALUES(6,1795617480207042,NULL,NULL,X'3b3000000100001f00010001001f00');
INSERT INTO attr_commit VALUES(7,1795617480218983,NULL,NULL,X'3a3000000100000000000000100000000100');
INSERT INTO attr_commit VALUES(8,1795617480226578,NULL,NULL,X'3a3000000100000000000000100000000100');
INSERT INTO attr_commit VALUES(9,1795617480238608,NULL,NULL,X'3a3000000100000000000000100000002100');
INSERT INTO attr_commit VALUES(10,1795617480251021,NULL,NULL,X'3a3000000100000000000000100000001c00');
INSERT INTO attr_commit VALUES(11,1795617480254014,NULL,NULL,X'3a3000000100000000000000100000002200');
INSERT INTO attr_commit VALUES(12,1795617480262969,NULL,NULL,X'3a3000000100000000000000100000002200');
INSERT INTO attr_commit VALUES(13,1795617480274979,NULL,NULL,X'3a3000000100000000000000100000001d00');
INSERT INTO attr_commit VALUES(14,1795617480286631,NULL,NULL,X'3a3000000100000000000000100000001d00');
CREATE TABLE attr_entity_type (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO attr_entity_type VALUES(1,'customer');
INSERT INTO attr_entity_type VALUES(2,'person');
INSERT INTO attr_entity_type VALUES(3,'site');
INSERT INTO attr_entity_type VALUES(4,'Site');
INSERT INTO attr_entity_type VALUES(5,'gone');
CREATE TABLE attr_definition (
    id INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    key TEXT NOT NULL,
    spec TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    UNIQUE (type, key)
) STRICT;
INSERT INTO attr_definition VALUES(1,1,'tier','{"name":"tier","data_type":"STRING"}',1,1);
INSERT INTO attr_definition VALUES(2,1,'seats','{"name":"seats","data_type":"INTEGER"}',1,1);
INSERT INTO attr_definition VALUES(3,1,'discount','{"name":"discount","data_type":"DECIMAL"}',1,1);
INSERT INTO attr_definition VALUES(4,2,'tier','{"name":"tier","data_type":"STRING"}',2,2);
INSERT INTO attr_definition VALUES(5,2,'entity_key','{"name":"Entity_Key","data_type":"STRING"}',2,2);
INSERT INTO attr_definition VALUES(6,2,'churned','{"name":"churned","data_type":"BOOLEAN"}',2,2);
INSERT INTO attr_definition VALUES(7,3,'tier','{"name":"tier","data_type":"STRING"}',3,3);
INSERT INTO attr_definition VALUES(8,3,'since','{"name":"since","data_type":"DATE"}',3,3);
INSERT INTO attr_definition VALUES(9,4,'tier','{"name":"tier","data_type":"STRING"}',4,4);
CREATE TABLE attr_past_definition (
    id INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    type INTEGER NOT NULL,
    spec TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    PRIMARY KEY (id, ended)
) STRICT, WITHOUT ROWID;
INSERT INTO attr_past_definition VALUES(10,12,5,'{"name":"tier","data_type":"STRING"}',5,5);
CREATE TABLE attr_entity (
    ordinal INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    id ANY NOT NULL,
    revision INTEGER NOT NULL,
    doc TEXT NOT NULL,
    meta BLOB NOT NULL, id_type INTEGER GENERATED ALWAYS AS (type) VIRTUAL, id_number INTEGER GENERATED ALWAYS AS (CASE WHEN typeof(id) = 'integer' THEN id END) VIRTUAL, id_text TEXT GENERATED ALWAYS AS (CAST(id AS TEXT)) VIRTUAL,
    UNIQUE (type, id)
) STRICT;
INSERT INTO attr_entity VALUES(1,1,7,3,'{"1":"customer 7","2":12,"3":"12.50"}',X'010600010800010700');
INSERT INTO attr_entity VALUES(2,2,7,1,'{"4":"person 7"}',X'010600');
INSERT INTO attr_entity VALUES(3,1,8,1,'{"1":"customer 8"}',X'010600');
INSERT INTO attr_entity VALUES(4,2,8,1,'{"4":"person 8"}',X'010600');
INSERT INTO attr_entity VALUES(5,1,-3,1,'{"1":"customer -3"}',X'010600');
INSERT INTO attr_entity VALUES(6,2,-3,1,'{"4":"person -3"}',X'010600');
INSERT INTO attr_entity VALUES(7,1,0,1,'{"1":"customer 0"}',X'010600');
INSERT INTO attr_entity VALUES(8,2,0,1,'{"4":"person 0"}',X'010600');
INSERT INTO attr_entity VALUES(9,1,9223372036854775807,1,'{"1":"customer 9223372036854775807"}',X'010600');
INSERT INTO attr_entity VALUES(10,2,9223372036854775807,1,'{"4":"person 9223372036854775807"}',X'010600');
INSERT INTO attr_entity VALUES(11,1,-9223372036854775808,1,'{"1":"customer -9223372036854775808"}',X'010600');
INSERT INTO attr_entity VALUES(12,2,-9223372036854775808,1,'{"4":"person -9223372036854775808"}',X'010600');
INSERT INTO attr_entity VALUES(13,2,'07',1,'{"4":"person 07","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(14,3,'07',1,'{"7":"site 07"}',X'010600');
INSERT INTO attr_entity VALUES(15,2,'8.0',1,'{"4":"person 8.0","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(16,3,'8.0',1,'{"7":"site 8.0"}',X'010600');
INSERT INTO attr_entity VALUES(17,2,'+7',1,'{"4":"person +7","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(18,3,'+7',1,'{"7":"site +7"}',X'010600');
INSERT INTO attr_entity VALUES(19,2,' 7',1,'{"4":"person  7","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(20,3,' 7',1,'{"7":"site  7"}',X'010600');
INSERT INTO attr_entity VALUES(21,2,'7e0',1,'{"4":"person 7e0","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(22,3,'7e0',1,'{"7":"site 7e0"}',X'010600');
INSERT INTO attr_entity VALUES(23,2,'-0',1,'{"4":"person -0","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(24,3,'-0',1,'{"7":"site -0"}',X'010600');
INSERT INTO attr_entity VALUES(25,2,'9223372036854775808',1,'{"4":"person 9223372036854775808","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(26,3,'9223372036854775808',1,'{"7":"site 9223372036854775808"}',X'010600');
INSERT INTO attr_entity VALUES(27,2,'c-7',1,'{"4":"person c-7","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(28,3,'c-7',2,'{"7":"site c-7, changed"}',X'010604');
INSERT INTO attr_entity VALUES(29,2,'it''s',3,'{}',X'');
INSERT INTO attr_entity VALUES(30,3,'it''s',1,'{"7":"site it''s"}',X'010600');
INSERT INTO attr_entity VALUES(31,2,'é😀',1,'{"4":"person é😀","5":"an attribute"}',X'020600');
INSERT INTO attr_entity VALUES(32,3,'é😀',1,'{"7":"site é😀"}',X'010600');
INSERT INTO attr_entity VALUES(33,4,'c-7',1,'{"9":"Site c-7"}',X'010900');
INSERT INTO attr_entity VALUES(34,5,'g-1',2,'{}',X'');
CREATE TABLE attr_history (
    ordinal INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    data_type TEXT NOT NULL,
    value ANY NOT NULL,
    PRIMARY KEY (ordinal, ended, definition)
) STRICT, WITHOUT ROWID;
INSERT INTO attr_history VALUES(28,10,7,6,6,'STRING','site c-7');
INSERT INTO attr_history VALUES(29,13,4,6,6,'STRING','person it''s');
INSERT INTO attr_history VALUES(29,14,5,6,6,'STRING','an attribute');
INSERT INTO attr_history VALUES(34,12,10,11,11,'STRING','gone');
CREATE TABLE attr_posting (
    definition INTEGER NOT NULL,
    key BLOB NOT NULL,
    chunk INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bits ANY NOT NULL,
    PRIMARY KEY (definition, key, chunk)
) STRICT, WITHOUT ROWID;
INSERT INTO attr_posting VALUES(0,X'53697465',0,1,X'2100');
INSERT INTO attr_posting VALUES(0,X'637573746f6d6572',0,6,X'010003000500070009000b00');
INSERT INTO attr_posting VALUES(0,X'706572736f6e',0,15,X'02000400060008000a000c000d000f00110013001500170019001b001f00');
INSERT INTO attr_posting VALUES(0,X'73697465',0,10,X'0e00100012001400160018001a001c001e002000');
INSERT INTO attr_posting VALUES(1,X'',0,6,X'010003000500070009000b00');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d6572202d33',0,1,X'0500');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d6572202d39323233333732303336383534373735383038',0,1,X'0b00');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d65722030',0,1,X'0700');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d65722037',0,1,X'0100');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d65722038',0,1,X'0300');
INSERT INTO attr_posting VALUES(1,X'01637573746f6d65722039323233333732303336383534373735383037',0,1,X'0900');
INSERT INTO attr_posting VALUES(2,X'',0,1,X'0100');
INSERT INTO attr_posting VALUES(2,X'810c',0,1,X'0100');
INSERT INTO attr_posting VALUES(3,X'',0,1,X'0100');
INSERT INTO attr_posting VALUES(3,X'810c32',0,1,X'0100');
INSERT INTO attr_posting VALUES(4,X'',0,15,X'02000400060008000a000c000d000f00110013001500170019001b001f00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e202037',0,1,X'1300');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e202b37',0,1,X'1100');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e202d30',0,1,X'1700');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e202d33',0,1,X'0600');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e202d39323233333732303336383534373735383038',0,1,X'0c00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e2030',0,1,X'0800');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e203037',0,1,X'0d00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e2037',0,1,X'0200');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e20376530',0,1,X'1500');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e2038',0,1,X'0400');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e20382e30',0,1,X'0f00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e2039323233333732303336383534373735383037',0,1,X'0a00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e2039323233333732303336383534373735383038',0,1,X'1900');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e20632d37',0,1,X'1b00');
INSERT INTO attr_posting VALUES(4,X'01706572736f6e20c3a9f09f9880',0,1,X'1f00');
INSERT INTO attr_posting VALUES(5,X'',0,9,X'0d000f00110013001500170019001b001f00');
INSERT INTO attr_posting VALUES(5,X'01616e20617474726962757465',0,9,X'0d000f00110013001500170019001b001f00');
INSERT INTO attr_posting VALUES(7,X'',0,10,X'0e00100012001400160018001a001c001e002000');
INSERT INTO attr_posting VALUES(7,X'0173697465202037',0,1,X'1400');
INSERT INTO attr_posting VALUES(7,X'0173697465202b37',0,1,X'1200');
INSERT INTO attr_posting VALUES(7,X'0173697465202d30',0,1,X'1800');
INSERT INTO attr_posting VALUES(7,X'0173697465203037',0,1,X'0e00');
INSERT INTO attr_posting VALUES(7,X'017369746520376530',0,1,X'1600');
INSERT INTO attr_posting VALUES(7,X'017369746520382e30',0,1,X'1000');
INSERT INTO attr_posting VALUES(7,X'01736974652039323233333732303336383534373735383038',0,1,X'1a00');
INSERT INTO attr_posting VALUES(7,X'017369746520632d372c206368616e676564',0,1,X'1c00');
INSERT INTO attr_posting VALUES(7,X'01736974652069742773',0,1,X'1e00');
INSERT INTO attr_posting VALUES(7,X'017369746520c3a9f09f9880',0,1,X'2000');
INSERT INTO attr_posting VALUES(9,X'',0,1,X'2100');
INSERT INTO attr_posting VALUES(9,X'015369746520632d37',0,1,X'2100');
CREATE TABLE attr_set (
    id INTEGER PRIMARY KEY,
    bits BLOB NOT NULL
) STRICT;
CREATE TABLE attr_rebuild (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    next INTEGER,
    definition INTEGER,
    key BLOB,
    chunk INTEGER
) STRICT;
CREATE TABLE attr_horizon (
    definition INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;
CREATE TABLE attr_view (
    type INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    ids INTEGER NOT NULL
) STRICT;
INSERT INTO attr_view VALUES(1,'attr_of_customer',1);
INSERT INTO attr_view VALUES(2,'attr_of_person',3);
INSERT INTO attr_view VALUES(3,'attr_of_site',2);
INSERT INTO attr_view VALUES(4,'attr_of_Site[2]',2);
INSERT INTO attr_view VALUES(5,'attr_of_gone',2);
CREATE UNIQUE INDEX attr_entity_key ON attr_entity (ordinal, type, id);
CREATE UNIQUE INDEX attr_entity_number ON attr_entity (id_number, id_type);
CREATE VIEW "attr_of_customer" /* by custom-attributes, which makes it anew when a definition changes */ AS SELECT
  id_number AS entity_id,
  CAST(doc ->> '$."1"' AS TEXT) AS "tier",
  CAST(doc ->> '$."2"' AS INTEGER) AS "seats",
  CAST(doc ->> '$."3"' AS TEXT) AS "discount",
  CAST(doc ->> '$."3"' AS REAL) AS "discount [number]"
FROM attr_entity WHERE id_type = 1 AND likelihood(type = 1, 0.5) AND likely(doc <> '{}');
CREATE UNIQUE INDEX attr_entity_text ON attr_entity (id_text, id_type);
CREATE VIEW "attr_of_person" /* by custom-attributes, which makes it anew when a definition changes */ AS SELECT
  id_text AS entity_id,
  CAST(doc ->> '$."4"' AS TEXT) AS "tier",
  CAST(doc ->> '$."5"' AS TEXT) AS "Entity_Key",
  CAST(doc ->> '$."6"' AS INTEGER) AS "churned"
FROM attr_entity WHERE id_type = 2 AND likelihood(type = 2, 0.5) AND likely(doc <> '{}');
CREATE VIEW "attr_of_site" /* by custom-attributes, which makes it anew when a definition changes */ AS SELECT
  id_text AS entity_id,
  CAST(doc ->> '$."7"' AS TEXT) AS "tier",
  CAST(doc ->> '$."8"' AS TEXT) AS "since"
FROM attr_entity WHERE id_type = 3 AND likelihood(type = 3, 0.5) AND likely(doc <> '{}');
CREATE VIEW "attr_of_Site[2]" /* by custom-attributes, which makes it anew when a definition changes */ AS SELECT
  id_text AS entity_id,
  CAST(doc ->> '$."9"' AS TEXT) AS "tier"
FROM attr_entity WHERE id_type = 4 AND likelihood(type = 4, 0.5) AND likely(doc <> '{}');
COMMIT;
