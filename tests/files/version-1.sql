-- A store as the first version of the schema wrote it, dumped by the sqlite3 shell: 120 customers (every other one known by
-- a text), a definition deleted with its value.
PRAGMA application_id = 1665234034;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE attr_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema INTEGER NOT NULL,
    folding TEXT NOT NULL,
    catalog INTEGER NOT NULL,
    last_definition INTEGER NOT NULL
) STRICT;
INSERT INTO attr_state VALUES(1,1,'NFC(unicase 2 full fold(NFC))',3,8);
CREATE TABLE attr_commit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT,
    note TEXT
) STRICT;
INSERT INTO attr_commit VALUES(1,1795503957628399,NULL,NULL);
INSERT INTO attr_commit VALUES(2,1795503957629317,NULL,NULL);
INSERT INTO attr_commit VALUES(3,1795503957635907,NULL,NULL);
INSERT INTO attr_commit VALUES(4,1795503957636470,NULL,NULL);
INSERT INTO attr_commit VALUES(5,1795503957636895,NULL,NULL);
CREATE TABLE attr_entity_type (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO attr_entity_type VALUES(1,'customer');
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
INSERT INTO attr_definition VALUES(3,1,'churned','{"name":"churned","data_type":"BOOLEAN"}',1,1);
INSERT INTO attr_definition VALUES(4,1,'limit','{"name":"limit","data_type":"DECIMAL"}',1,1);
INSERT INTO attr_definition VALUES(5,1,'since','{"name":"since","data_type":"DATE"}',1,1);
INSERT INTO attr_definition VALUES(6,1,'remark','{"name":"remark","data_type":"STRING"}',1,1);
INSERT INTO attr_definition VALUES(7,1,'code','{"name":"code","data_type":"STRING","unique":true}',1,1);
CREATE TABLE attr_past_definition (
    id INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    type INTEGER NOT NULL,
    spec TEXT NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    PRIMARY KEY (id, ended)
) STRICT, WITHOUT ROWID;
INSERT INTO attr_past_definition VALUES(8,5,1,'{"name":"short lived","data_type":"STRING"}',3,3);
CREATE TABLE attr_entity (
    ordinal INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    id ANY NOT NULL,
    revision INTEGER NOT NULL,
    doc TEXT NOT NULL,
    meta BLOB NOT NULL,
    UNIQUE (type, id)
) STRICT;
INSERT INTO attr_entity VALUES(1,1,'c1',1,'{"1":"bronze","2":1,"3":false,"4":"12.5","5":"2011-02-02","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1","7":"code 1"}',X'070200');
INSERT INTO attr_entity VALUES(2,1,2,3,'{"1":"gold","2":2,"3":false,"4":"25.0","5":"2012-03-03","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx2","7":"code 2"}',X'070200');
INSERT INTO attr_entity VALUES(3,1,'c3',1,'{"1":"silver","2":3,"3":false,"4":"37.5","5":"2013-04-04","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx3","7":"code 3"}',X'070200');
INSERT INTO attr_entity VALUES(4,1,4,1,'{"1":"bronze","2":4,"3":false,"4":"50.0","5":"2014-05-05","7":"code 4"}',X'060200');
INSERT INTO attr_entity VALUES(5,1,'c5',1,'{"1":"gold","2":5,"3":true,"4":"62.5","5":"2015-06-06","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx5","7":"code 5"}',X'070200');
INSERT INTO attr_entity VALUES(6,1,6,1,'{"1":"silver","2":6,"3":false,"4":"75.0","5":"2016-07-07","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx6","7":"code 6"}',X'070200');
INSERT INTO attr_entity VALUES(7,1,'c7',1,'{"1":"bronze","2":0,"3":false,"4":"87.5","5":"2017-08-08","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx7","7":"code 7"}',X'070200');
INSERT INTO attr_entity VALUES(8,1,8,1,'{"1":"gold","2":1,"3":false,"4":"100.0","5":"2018-09-09","7":"code 8"}',X'060200');
INSERT INTO attr_entity VALUES(9,1,'c9',1,'{"1":"silver","2":2,"3":false,"4":"112.5","5":"2019-10-10","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx9","7":"code 9"}',X'070200');
INSERT INTO attr_entity VALUES(10,1,10,1,'{"1":"bronze","2":3,"3":true,"4":"125.0","5":"2020-11-11","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx10","7":"code 10"}',X'070200');
INSERT INTO attr_entity VALUES(11,1,'c11',1,'{"1":"gold","2":4,"3":false,"4":"137.5","5":"2021-12-12","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx11","7":"code 11"}',X'070200');
INSERT INTO attr_entity VALUES(12,1,12,1,'{"1":"silver","2":5,"3":false,"4":"150.0","5":"2022-01-13","7":"code 12"}',X'060200');
INSERT INTO attr_entity VALUES(13,1,'c13',1,'{"1":"bronze","2":6,"3":false,"4":"162.5","5":"2023-02-14","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx13","7":"code 13"}',X'070200');
INSERT INTO attr_entity VALUES(14,1,14,1,'{"1":"gold","2":0,"3":false,"4":"175.0","5":"2024-03-15","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx14","7":"code 14"}',X'070200');
INSERT INTO attr_entity VALUES(15,1,'c15',1,'{"1":"silver","2":1,"3":true,"4":"187.5","5":"2025-04-16","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx15","7":"code 15"}',X'070200');
INSERT INTO attr_entity VALUES(16,1,16,1,'{"1":"bronze","2":2,"3":false,"4":"200.0","5":"2026-05-17","7":"code 16"}',X'060200');
INSERT INTO attr_entity VALUES(17,1,'c17',1,'{"1":"gold","2":3,"3":false,"4":"212.5","5":"2027-06-18","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx17","7":"code 17"}',X'070200');
INSERT INTO attr_entity VALUES(18,1,18,1,'{"1":"silver","2":4,"3":false,"4":"225.0","5":"2028-07-19","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx18","7":"code 18"}',X'070200');
INSERT INTO attr_entity VALUES(19,1,'c19',1,'{"1":"bronze","2":5,"3":false,"4":"237.5","5":"2029-08-20","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx19","7":"code 19"}',X'070200');
INSERT INTO attr_entity VALUES(20,1,20,1,'{"1":"gold","2":6,"3":true,"4":"250.0","5":"2010-09-21","7":"code 20"}',X'060200');
INSERT INTO attr_entity VALUES(21,1,'c21',1,'{"1":"silver","2":0,"3":false,"4":"262.5","5":"2011-10-22","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx21","7":"code 21"}',X'070200');
INSERT INTO attr_entity VALUES(22,1,22,1,'{"1":"bronze","2":1,"3":false,"4":"275.0","5":"2012-11-23","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx22","7":"code 22"}',X'070200');
INSERT INTO attr_entity VALUES(23,1,'c23',1,'{"1":"gold","2":2,"3":false,"4":"287.5","5":"2013-12-24","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx23","7":"code 23"}',X'070200');
INSERT INTO attr_entity VALUES(24,1,24,1,'{"1":"silver","2":3,"3":false,"4":"300.0","5":"2014-01-25","7":"code 24"}',X'060200');
INSERT INTO attr_entity VALUES(25,1,'c25',1,'{"1":"bronze","2":4,"3":true,"4":"312.5","5":"2015-02-26","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx25","7":"code 25"}',X'070200');
INSERT INTO attr_entity VALUES(26,1,26,1,'{"1":"gold","2":5,"3":false,"4":"325.0","5":"2016-03-27","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx26","7":"code 26"}',X'070200');
INSERT INTO attr_entity VALUES(27,1,'c27',1,'{"1":"silver","2":6,"3":false,"4":"337.5","5":"2017-04-28","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx27","7":"code 27"}',X'070200');
INSERT INTO attr_entity VALUES(28,1,28,1,'{"1":"bronze","2":0,"3":false,"4":"350.0","5":"2018-05-01","7":"code 28"}',X'060200');
INSERT INTO attr_entity VALUES(29,1,'c29',1,'{"1":"gold","2":1,"3":false,"4":"362.5","5":"2019-06-02","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx29","7":"code 29"}',X'070200');
INSERT INTO attr_entity VALUES(30,1,30,1,'{"1":"silver","2":2,"3":true,"4":"375.0","5":"2020-07-03","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx30","7":"code 30"}',X'070200');
INSERT INTO attr_entity VALUES(31,1,'c31',1,'{"1":"bronze","2":3,"3":false,"4":"387.5","5":"2021-08-04","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx31","7":"code 31"}',X'070200');
INSERT INTO attr_entity VALUES(32,1,32,1,'{"1":"gold","2":4,"3":false,"4":"400.0","5":"2022-09-05","7":"code 32"}',X'060200');
INSERT INTO attr_entity VALUES(33,1,'c33',1,'{"1":"silver","2":5,"3":false,"4":"412.5","5":"2023-10-06","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx33","7":"code 33"}',X'070200');
INSERT INTO attr_entity VALUES(34,1,34,1,'{"1":"bronze","2":6,"3":false,"4":"425.0","5":"2024-11-07","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx34","7":"code 34"}',X'070200');
INSERT INTO attr_entity VALUES(35,1,'c35',1,'{"1":"gold","2":0,"3":true,"4":"437.5","5":"2025-12-08","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx35","7":"code 35"}',X'070200');
INSERT INTO attr_entity VALUES(36,1,36,1,'{"1":"silver","2":1,"3":false,"4":"450.0","5":"2026-01-09","7":"code 36"}',X'060200');
INSERT INTO attr_entity VALUES(37,1,'c37',1,'{"1":"bronze","2":2,"3":false,"4":"462.5","5":"2027-02-10","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx37","7":"code 37"}',X'070200');
INSERT INTO attr_entity VALUES(38,1,38,1,'{"1":"gold","2":3,"3":false,"4":"475.0","5":"2028-03-11","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx38","7":"code 38"}',X'070200');
INSERT INTO attr_entity VALUES(39,1,'c39',1,'{"1":"silver","2":4,"3":false,"4":"487.5","5":"2029-04-12","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx39","7":"code 39"}',X'070200');
INSERT INTO attr_entity VALUES(40,1,40,1,'{"1":"bronze","2":5,"3":true,"4":"500.0","5":"2010-05-13","7":"code 40"}',X'060200');
INSERT INTO attr_entity VALUES(41,1,'c41',1,'{"1":"gold","2":6,"3":false,"4":"512.5","5":"2011-06-14","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx41","7":"code 41"}',X'070200');
INSERT INTO attr_entity VALUES(42,1,42,1,'{"1":"silver","2":0,"3":false,"4":"525.0","5":"2012-07-15","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx42","7":"code 42"}',X'070200');
INSERT INTO attr_entity VALUES(43,1,'c43',1,'{"1":"bronze","2":1,"3":false,"4":"537.5","5":"2013-08-16","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx43","7":"code 43"}',X'070200');
INSERT INTO attr_entity VALUES(44,1,44,1,'{"1":"gold","2":2,"3":false,"4":"550.0","5":"2014-09-17","7":"code 44"}',X'060200');
INSERT INTO attr_entity VALUES(45,1,'c45',1,'{"1":"silver","2":3,"3":true,"4":"562.5","5":"2015-10-18","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx45","7":"code 45"}',X'070200');
INSERT INTO attr_entity VALUES(46,1,46,1,'{"1":"bronze","2":4,"3":false,"4":"575.0","5":"2016-11-19","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx46","7":"code 46"}',X'070200');
INSERT INTO attr_entity VALUES(47,1,'c47',1,'{"1":"gold","2":5,"3":false,"4":"587.5","5":"2017-12-20","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx47","7":"code 47"}',X'070200');
INSERT INTO attr_entity VALUES(48,1,48,1,'{"1":"silver","2":6,"3":false,"4":"600.0","5":"2018-01-21","7":"code 48"}',X'060200');
INSERT INTO attr_entity VALUES(49,1,'c49',1,'{"1":"bronze","2":0,"3":false,"4":"612.5","5":"2019-02-22","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx49","7":"code 49"}',X'070200');
INSERT INTO attr_entity VALUES(50,1,50,1,'{"1":"gold","2":1,"3":true,"4":"625.0","5":"2020-03-23","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx50","7":"code 50"}',X'070200');
INSERT INTO attr_entity VALUES(51,1,'c51',1,'{"1":"silver","2":2,"3":false,"4":"637.5","5":"2021-04-24","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx51","7":"code 51"}',X'070200');
INSERT INTO attr_entity VALUES(52,1,52,1,'{"1":"bronze","2":3,"3":false,"4":"650.0","5":"2022-05-25","7":"code 52"}',X'060200');
INSERT INTO attr_entity VALUES(53,1,'c53',1,'{"1":"gold","2":4,"3":false,"4":"662.5","5":"2023-06-26","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx53","7":"code 53"}',X'070200');
INSERT INTO attr_entity VALUES(54,1,54,1,'{"1":"silver","2":5,"3":false,"4":"675.0","5":"2024-07-27","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx54","7":"code 54"}',X'070200');
INSERT INTO attr_entity VALUES(55,1,'c55',1,'{"1":"bronze","2":6,"3":true,"4":"687.5","5":"2025-08-28","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx55","7":"code 55"}',X'070200');
INSERT INTO attr_entity VALUES(56,1,56,1,'{"1":"gold","2":0,"3":false,"4":"700.0","5":"2026-09-01","7":"code 56"}',X'060200');
INSERT INTO attr_entity VALUES(57,1,'c57',1,'{"1":"silver","2":1,"3":false,"4":"712.5","5":"2027-10-02","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx57","7":"code 57"}',X'070200');
INSERT INTO attr_entity VALUES(58,1,58,1,'{"1":"bronze","2":2,"3":false,"4":"725.0","5":"2028-11-03","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx58","7":"code 58"}',X'070200');
INSERT INTO attr_entity VALUES(59,1,'c59',1,'{"1":"gold","2":3,"3":false,"4":"737.5","5":"2029-12-04","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx59","7":"code 59"}',X'070200');
INSERT INTO attr_entity VALUES(60,1,60,1,'{"1":"silver","2":4,"3":true,"4":"750.0","5":"2010-01-05","7":"code 60"}',X'060200');
INSERT INTO attr_entity VALUES(61,1,'c61',1,'{"1":"bronze","2":5,"3":false,"4":"762.5","5":"2011-02-06","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx61","7":"code 61"}',X'070200');
INSERT INTO attr_entity VALUES(62,1,62,1,'{"1":"gold","2":6,"3":false,"4":"775.0","5":"2012-03-07","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx62","7":"code 62"}',X'070200');
INSERT INTO attr_entity VALUES(63,1,'c63',1,'{"1":"silver","2":0,"3":false,"4":"787.5","5":"2013-04-08","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx63","7":"code 63"}',X'070200');
INSERT INTO attr_entity VALUES(64,1,64,1,'{"1":"bronze","2":1,"3":false,"4":"800.0","5":"2014-05-09","7":"code 64"}',X'060200');
INSERT INTO attr_entity VALUES(65,1,'c65',1,'{"1":"gold","2":2,"3":true,"4":"812.5","5":"2015-06-10","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx65","7":"code 65"}',X'070200');
INSERT INTO attr_entity VALUES(66,1,66,1,'{"1":"silver","2":3,"3":false,"4":"825.0","5":"2016-07-11","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx66","7":"code 66"}',X'070200');
INSERT INTO attr_entity VALUES(67,1,'c67',1,'{"1":"bronze","2":4,"3":false,"4":"837.5","5":"2017-08-12","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx67","7":"code 67"}',X'070200');
INSERT INTO attr_entity VALUES(68,1,68,1,'{"1":"gold","2":5,"3":false,"4":"850.0","5":"2018-09-13","7":"code 68"}',X'060200');
INSERT INTO attr_entity VALUES(69,1,'c69',1,'{"1":"silver","2":6,"3":false,"4":"862.5","5":"2019-10-14","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx69","7":"code 69"}',X'070200');
INSERT INTO attr_entity VALUES(70,1,70,1,'{"1":"bronze","2":0,"3":true,"4":"875.0","5":"2020-11-15","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx70","7":"code 70"}',X'070200');
INSERT INTO attr_entity VALUES(71,1,'c71',1,'{"1":"gold","2":1,"3":false,"4":"887.5","5":"2021-12-16","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx71","7":"code 71"}',X'070200');
INSERT INTO attr_entity VALUES(72,1,72,1,'{"1":"silver","2":2,"3":false,"4":"900.0","5":"2022-01-17","7":"code 72"}',X'060200');
INSERT INTO attr_entity VALUES(73,1,'c73',1,'{"1":"bronze","2":3,"3":false,"4":"912.5","5":"2023-02-18","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx73","7":"code 73"}',X'070200');
INSERT INTO attr_entity VALUES(74,1,74,1,'{"1":"gold","2":4,"3":false,"4":"925.0","5":"2024-03-19","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx74","7":"code 74"}',X'070200');
INSERT INTO attr_entity VALUES(75,1,'c75',1,'{"1":"silver","2":5,"3":true,"4":"937.5","5":"2025-04-20","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx75","7":"code 75"}',X'070200');
INSERT INTO attr_entity VALUES(76,1,76,1,'{"1":"bronze","2":6,"3":false,"4":"950.0","5":"2026-05-21","7":"code 76"}',X'060200');
INSERT INTO attr_entity VALUES(77,1,'c77',1,'{"1":"gold","2":0,"3":false,"4":"962.5","5":"2027-06-22","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx77","7":"code 77"}',X'070200');
INSERT INTO attr_entity VALUES(78,1,78,1,'{"1":"silver","2":1,"3":false,"4":"975.0","5":"2028-07-23","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx78","7":"code 78"}',X'070200');
INSERT INTO attr_entity VALUES(79,1,'c79',1,'{"1":"bronze","2":2,"3":false,"4":"987.5","5":"2029-08-24","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx79","7":"code 79"}',X'070200');
INSERT INTO attr_entity VALUES(80,1,80,1,'{"1":"gold","2":3,"3":true,"4":"1000.0","5":"2010-09-25","7":"code 80"}',X'060200');
INSERT INTO attr_entity VALUES(81,1,'c81',1,'{"1":"silver","2":4,"3":false,"4":"1012.5","5":"2011-10-26","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx81","7":"code 81"}',X'070200');
INSERT INTO attr_entity VALUES(82,1,82,1,'{"1":"bronze","2":5,"3":false,"4":"1025.0","5":"2012-11-27","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx82","7":"code 82"}',X'070200');
INSERT INTO attr_entity VALUES(83,1,'c83',1,'{"1":"gold","2":6,"3":false,"4":"1037.5","5":"2013-12-28","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx83","7":"code 83"}',X'070200');
INSERT INTO attr_entity VALUES(84,1,84,1,'{"1":"silver","2":0,"3":false,"4":"1050.0","5":"2014-01-01","7":"code 84"}',X'060200');
INSERT INTO attr_entity VALUES(85,1,'c85',1,'{"1":"bronze","2":1,"3":true,"4":"1062.5","5":"2015-02-02","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx85","7":"code 85"}',X'070200');
INSERT INTO attr_entity VALUES(86,1,86,1,'{"1":"gold","2":2,"3":false,"4":"1075.0","5":"2016-03-03","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx86","7":"code 86"}',X'070200');
INSERT INTO attr_entity VALUES(87,1,'c87',1,'{"1":"silver","2":3,"3":false,"4":"1087.5","5":"2017-04-04","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx87","7":"code 87"}',X'070200');
INSERT INTO attr_entity VALUES(88,1,88,1,'{"1":"bronze","2":4,"3":false,"4":"1100.0","5":"2018-05-05","7":"code 88"}',X'060200');
INSERT INTO attr_entity VALUES(89,1,'c89',1,'{"1":"gold","2":5,"3":false,"4":"1112.5","5":"2019-06-06","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx89","7":"code 89"}',X'070200');
INSERT INTO attr_entity VALUES(90,1,90,1,'{"1":"silver","2":6,"3":true,"4":"1125.0","5":"2020-07-07","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx90","7":"code 90"}',X'070200');
INSERT INTO attr_entity VALUES(91,1,'c91',1,'{"1":"bronze","2":0,"3":false,"4":"1137.5","5":"2021-08-08","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx91","7":"code 91"}',X'070200');
INSERT INTO attr_entity VALUES(92,1,92,1,'{"1":"gold","2":1,"3":false,"4":"1150.0","5":"2022-09-09","7":"code 92"}',X'060200');
INSERT INTO attr_entity VALUES(93,1,'c93',1,'{"1":"silver","2":2,"3":false,"4":"1162.5","5":"2023-10-10","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx93","7":"code 93"}',X'070200');
INSERT INTO attr_entity VALUES(94,1,94,1,'{"1":"bronze","2":3,"3":false,"4":"1175.0","5":"2024-11-11","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx94","7":"code 94"}',X'070200');
INSERT INTO attr_entity VALUES(95,1,'c95',1,'{"1":"gold","2":4,"3":true,"4":"1187.5","5":"2025-12-12","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx95","7":"code 95"}',X'070200');
INSERT INTO attr_entity VALUES(96,1,96,1,'{"1":"silver","2":5,"3":false,"4":"1200.0","5":"2026-01-13","7":"code 96"}',X'060200');
INSERT INTO attr_entity VALUES(97,1,'c97',1,'{"1":"bronze","2":6,"3":false,"4":"1212.5","5":"2027-02-14","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx97","7":"code 97"}',X'070200');
INSERT INTO attr_entity VALUES(98,1,98,1,'{"1":"gold","2":0,"3":false,"4":"1225.0","5":"2028-03-15","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx98","7":"code 98"}',X'070200');
INSERT INTO attr_entity VALUES(99,1,'c99',1,'{"1":"silver","2":1,"3":false,"4":"1237.5","5":"2029-04-16","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx99","7":"code 99"}',X'070200');
INSERT INTO attr_entity VALUES(100,1,100,1,'{"1":"bronze","2":2,"3":true,"4":"1250.0","5":"2010-05-17","7":"code 100"}',X'060200');
INSERT INTO attr_entity VALUES(101,1,'c101',1,'{"1":"gold","2":3,"3":false,"4":"1262.5","5":"2011-06-18","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx101","7":"code 101"}',X'070200');
INSERT INTO attr_entity VALUES(102,1,102,1,'{"1":"silver","2":4,"3":false,"4":"1275.0","5":"2012-07-19","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx102","7":"code 102"}',X'070200');
INSERT INTO attr_entity VALUES(103,1,'c103',1,'{"1":"bronze","2":5,"3":false,"4":"1287.5","5":"2013-08-20","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx103","7":"code 103"}',X'070200');
INSERT INTO attr_entity VALUES(104,1,104,1,'{"1":"gold","2":6,"3":false,"4":"1300.0","5":"2014-09-21","7":"code 104"}',X'060200');
INSERT INTO attr_entity VALUES(105,1,'c105',1,'{"1":"silver","2":0,"3":true,"4":"1312.5","5":"2015-10-22","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx105","7":"code 105"}',X'070200');
INSERT INTO attr_entity VALUES(106,1,106,1,'{"1":"bronze","2":1,"3":false,"4":"1325.0","5":"2016-11-23","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx106","7":"code 106"}',X'070200');
INSERT INTO attr_entity VALUES(107,1,'c107',1,'{"1":"gold","2":2,"3":false,"4":"1337.5","5":"2017-12-24","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx107","7":"code 107"}',X'070200');
INSERT INTO attr_entity VALUES(108,1,108,1,'{"1":"silver","2":3,"3":false,"4":"1350.0","5":"2018-01-25","7":"code 108"}',X'060200');
INSERT INTO attr_entity VALUES(109,1,'c109',1,'{"1":"bronze","2":4,"3":false,"4":"1362.5","5":"2019-02-26","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx109","7":"code 109"}',X'070200');
INSERT INTO attr_entity VALUES(110,1,110,1,'{"1":"gold","2":5,"3":true,"4":"1375.0","5":"2020-03-27","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx110","7":"code 110"}',X'070200');
INSERT INTO attr_entity VALUES(111,1,'c111',1,'{"1":"silver","2":6,"3":false,"4":"1387.5","5":"2021-04-28","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx111","7":"code 111"}',X'070200');
INSERT INTO attr_entity VALUES(112,1,112,1,'{"1":"bronze","2":0,"3":false,"4":"1400.0","5":"2022-05-01","7":"code 112"}',X'060200');
INSERT INTO attr_entity VALUES(113,1,'c113',1,'{"1":"gold","2":1,"3":false,"4":"1412.5","5":"2023-06-02","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx113","7":"code 113"}',X'070200');
INSERT INTO attr_entity VALUES(114,1,114,1,'{"1":"silver","2":2,"3":false,"4":"1425.0","5":"2024-07-03","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx114","7":"code 114"}',X'070200');
INSERT INTO attr_entity VALUES(115,1,'c115',1,'{"1":"bronze","2":3,"3":true,"4":"1437.5","5":"2025-08-04","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx115","7":"code 115"}',X'070200');
INSERT INTO attr_entity VALUES(116,1,116,1,'{"1":"gold","2":4,"3":false,"4":"1450.0","5":"2026-09-05","7":"code 116"}',X'060200');
INSERT INTO attr_entity VALUES(117,1,'c117',1,'{"1":"silver","2":5,"3":false,"4":"1462.5","5":"2027-10-06","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx117","7":"code 117"}',X'070200');
INSERT INTO attr_entity VALUES(118,1,118,1,'{"1":"bronze","2":6,"3":false,"4":"1475.0","5":"2028-11-07","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx118","7":"code 118"}',X'070200');
INSERT INTO attr_entity VALUES(119,1,'c119',1,'{"1":"gold","2":0,"3":false,"4":"1487.5","5":"2029-12-08","6":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx119","7":"code 119"}',X'070200');
INSERT INTO attr_entity VALUES(120,1,120,1,'{"1":"silver","2":1,"3":true,"4":"1500.0","5":"2010-01-09","7":"code 120"}',X'060200');
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
INSERT INTO attr_history VALUES(2,5,8,4,4,'STRING','gone');
CREATE TABLE attr_unique (
    definition INTEGER NOT NULL,
    value ANY NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (definition, value)
) STRICT, WITHOUT ROWID;
INSERT INTO attr_unique VALUES(7,'code 1',1);
INSERT INTO attr_unique VALUES(7,'code 10',10);
INSERT INTO attr_unique VALUES(7,'code 100',100);
INSERT INTO attr_unique VALUES(7,'code 101',101);
INSERT INTO attr_unique VALUES(7,'code 102',102);
INSERT INTO attr_unique VALUES(7,'code 103',103);
INSERT INTO attr_unique VALUES(7,'code 104',104);
INSERT INTO attr_unique VALUES(7,'code 105',105);
INSERT INTO attr_unique VALUES(7,'code 106',106);
INSERT INTO attr_unique VALUES(7,'code 107',107);
INSERT INTO attr_unique VALUES(7,'code 108',108);
INSERT INTO attr_unique VALUES(7,'code 109',109);
INSERT INTO attr_unique VALUES(7,'code 11',11);
INSERT INTO attr_unique VALUES(7,'code 110',110);
INSERT INTO attr_unique VALUES(7,'code 111',111);
INSERT INTO attr_unique VALUES(7,'code 112',112);
INSERT INTO attr_unique VALUES(7,'code 113',113);
INSERT INTO attr_unique VALUES(7,'code 114',114);
INSERT INTO attr_unique VALUES(7,'code 115',115);
INSERT INTO attr_unique VALUES(7,'code 116',116);
INSERT INTO attr_unique VALUES(7,'code 117',117);
INSERT INTO attr_unique VALUES(7,'code 118',118);
INSERT INTO attr_unique VALUES(7,'code 119',119);
INSERT INTO attr_unique VALUES(7,'code 12',12);
INSERT INTO attr_unique VALUES(7,'code 120',120);
INSERT INTO attr_unique VALUES(7,'code 13',13);
INSERT INTO attr_unique VALUES(7,'code 14',14);
INSERT INTO attr_unique VALUES(7,'code 15',15);
INSERT INTO attr_unique VALUES(7,'code 16',16);
INSERT INTO attr_unique VALUES(7,'code 17',17);
INSERT INTO attr_unique VALUES(7,'code 18',18);
INSERT INTO attr_unique VALUES(7,'code 19',19);
INSERT INTO attr_unique VALUES(7,'code 2',2);
INSERT INTO attr_unique VALUES(7,'code 20',20);
INSERT INTO attr_unique VALUES(7,'code 21',21);
INSERT INTO attr_unique VALUES(7,'code 22',22);
INSERT INTO attr_unique VALUES(7,'code 23',23);
INSERT INTO attr_unique VALUES(7,'code 24',24);
INSERT INTO attr_unique VALUES(7,'code 25',25);
INSERT INTO attr_unique VALUES(7,'code 26',26);
INSERT INTO attr_unique VALUES(7,'code 27',27);
INSERT INTO attr_unique VALUES(7,'code 28',28);
INSERT INTO attr_unique VALUES(7,'code 29',29);
INSERT INTO attr_unique VALUES(7,'code 3',3);
INSERT INTO attr_unique VALUES(7,'code 30',30);
INSERT INTO attr_unique VALUES(7,'code 31',31);
INSERT INTO attr_unique VALUES(7,'code 32',32);
INSERT INTO attr_unique VALUES(7,'code 33',33);
INSERT INTO attr_unique VALUES(7,'code 34',34);
INSERT INTO attr_unique VALUES(7,'code 35',35);
INSERT INTO attr_unique VALUES(7,'code 36',36);
INSERT INTO attr_unique VALUES(7,'code 37',37);
INSERT INTO attr_unique VALUES(7,'code 38',38);
INSERT INTO attr_unique VALUES(7,'code 39',39);
INSERT INTO attr_unique VALUES(7,'code 4',4);
INSERT INTO attr_unique VALUES(7,'code 40',40);
INSERT INTO attr_unique VALUES(7,'code 41',41);
INSERT INTO attr_unique VALUES(7,'code 42',42);
INSERT INTO attr_unique VALUES(7,'code 43',43);
INSERT INTO attr_unique VALUES(7,'code 44',44);
INSERT INTO attr_unique VALUES(7,'code 45',45);
INSERT INTO attr_unique VALUES(7,'code 46',46);
INSERT INTO attr_unique VALUES(7,'code 47',47);
INSERT INTO attr_unique VALUES(7,'code 48',48);
INSERT INTO attr_unique VALUES(7,'code 49',49);
INSERT INTO attr_unique VALUES(7,'code 5',5);
INSERT INTO attr_unique VALUES(7,'code 50',50);
INSERT INTO attr_unique VALUES(7,'code 51',51);
INSERT INTO attr_unique VALUES(7,'code 52',52);
INSERT INTO attr_unique VALUES(7,'code 53',53);
INSERT INTO attr_unique VALUES(7,'code 54',54);
INSERT INTO attr_unique VALUES(7,'code 55',55);
INSERT INTO attr_unique VALUES(7,'code 56',56);
INSERT INTO attr_unique VALUES(7,'code 57',57);
INSERT INTO attr_unique VALUES(7,'code 58',58);
INSERT INTO attr_unique VALUES(7,'code 59',59);
INSERT INTO attr_unique VALUES(7,'code 6',6);
INSERT INTO attr_unique VALUES(7,'code 60',60);
INSERT INTO attr_unique VALUES(7,'code 61',61);
INSERT INTO attr_unique VALUES(7,'code 62',62);
INSERT INTO attr_unique VALUES(7,'code 63',63);
INSERT INTO attr_unique VALUES(7,'code 64',64);
INSERT INTO attr_unique VALUES(7,'code 65',65);
INSERT INTO attr_unique VALUES(7,'code 66',66);
INSERT INTO attr_unique VALUES(7,'code 67',67);
INSERT INTO attr_unique VALUES(7,'code 68',68);
INSERT INTO attr_unique VALUES(7,'code 69',69);
INSERT INTO attr_unique VALUES(7,'code 7',7);
INSERT INTO attr_unique VALUES(7,'code 70',70);
INSERT INTO attr_unique VALUES(7,'code 71',71);
INSERT INTO attr_unique VALUES(7,'code 72',72);
INSERT INTO attr_unique VALUES(7,'code 73',73);
INSERT INTO attr_unique VALUES(7,'code 74',74);
INSERT INTO attr_unique VALUES(7,'code 75',75);
INSERT INTO attr_unique VALUES(7,'code 76',76);
INSERT INTO attr_unique VALUES(7,'code 77',77);
INSERT INTO attr_unique VALUES(7,'code 78',78);
INSERT INTO attr_unique VALUES(7,'code 79',79);
INSERT INTO attr_unique VALUES(7,'code 8',8);
INSERT INTO attr_unique VALUES(7,'code 80',80);
INSERT INTO attr_unique VALUES(7,'code 81',81);
INSERT INTO attr_unique VALUES(7,'code 82',82);
INSERT INTO attr_unique VALUES(7,'code 83',83);
INSERT INTO attr_unique VALUES(7,'code 84',84);
INSERT INTO attr_unique VALUES(7,'code 85',85);
INSERT INTO attr_unique VALUES(7,'code 86',86);
INSERT INTO attr_unique VALUES(7,'code 87',87);
INSERT INTO attr_unique VALUES(7,'code 88',88);
INSERT INTO attr_unique VALUES(7,'code 89',89);
INSERT INTO attr_unique VALUES(7,'code 9',9);
INSERT INTO attr_unique VALUES(7,'code 90',90);
INSERT INTO attr_unique VALUES(7,'code 91',91);
INSERT INTO attr_unique VALUES(7,'code 92',92);
INSERT INTO attr_unique VALUES(7,'code 93',93);
INSERT INTO attr_unique VALUES(7,'code 94',94);
INSERT INTO attr_unique VALUES(7,'code 95',95);
INSERT INTO attr_unique VALUES(7,'code 96',96);
INSERT INTO attr_unique VALUES(7,'code 97',97);
INSERT INTO attr_unique VALUES(7,'code 98',98);
INSERT INTO attr_unique VALUES(7,'code 99',99);
COMMIT;
