-- Texts that clients choose (ids of records, names of queues) are UTF-8 in bytea: a text column cannot hold every text, and bytea
-- orders by bytes whatever the collation of the database.

-- One row per process that commits. A commit locks its row and checks the epoch, so whoever raises the epoch fences the process.
-- The row also says what the last commit was (batch), where the journal stands, and how many rows there are.
CREATE TABLE owners (
    owner         int    PRIMARY KEY,
    epoch         bigint NOT NULL,
    batch         bigint NOT NULL DEFAULT 0,    -- number of the last batch of this epoch that was committed
    position      bigint NOT NULL DEFAULT 0,    -- position of the newest turn
    next_position bigint NOT NULL DEFAULT 1,
    records       bigint NOT NULL DEFAULT 0,
    timers        bigint NOT NULL DEFAULT 0,
    effects       bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- Raised by every commit that writes documents of the tenant.
CREATE TABLE catalogs (tenant int PRIMARY KEY, version bigint NOT NULL) WITH (fillfactor = 50);

CREATE TABLE sequences (name text PRIMARY KEY, next bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO sequences (name, next) VALUES ('record', 1);

CREATE TABLE keys (
    tenant      int    NOT NULL,
    object_type int    NOT NULL,
    id          bytea  NOT NULL,
    number      bigint NOT NULL,
    PRIMARY KEY (tenant, object_type, id)
);

-- Room in the pages, so that a new head lands beside the old one and no index changes.
CREATE TABLE heads (
    number   bigint PRIMARY KEY,
    tenant   int    NOT NULL,
    turn_id  bigint NOT NULL,
    position bigint NOT NULL,                   -- of the latest turn
    next_due bigint,                            -- milliseconds since 1970; null when the record waits for nothing
    checksum int    NOT NULL,
    head     bytea  NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX heads_due ON heads (next_due, number) WHERE next_due IS NOT NULL;

CREATE TABLE sections (
    record   bigint NOT NULL,
    index    int    NOT NULL,
    checksum int    NOT NULL,
    content  bytea  NOT NULL,
    PRIMARY KEY (record, index)
);

-- Active enrollments only; the key is the last defence against a record that is twice in a workflow.
CREATE TABLE enrollments (
    tenant   int    NOT NULL,
    workflow int    NOT NULL,
    record   bigint NOT NULL,
    PRIMARY KEY (tenant, workflow, record)
);

-- One row per turn. The skeleton has no personal data; erasure empties the payload. Both this and activity are cut by position, so that
-- what is old can be dropped whole; positions rise with time.
CREATE TABLE journal (
    position bigint PRIMARY KEY,
    record   bigint NOT NULL,
    previous bigint NOT NULL,                   -- position of the record's turn before; 0 for its first
    checksum int    NOT NULL,
    skeleton bytea  NOT NULL,
    payload  bytea  NOT NULL
) PARTITION BY RANGE (position);

-- Which turns concern a workflow.
CREATE TABLE activity (
    tenant   int    NOT NULL,
    workflow int    NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (tenant, workflow, position)
) PARTITION BY RANGE (position);

-- Partition n is journal_n and activity_n. Each is made when the one before is half full.
CREATE TABLE partitions (
    number  int         PRIMARY KEY,
    first   bigint      NOT NULL,
    beyond  bigint      NOT NULL,               -- the first position after it
    made_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE effects (
    record     bigint NOT NULL,
    enrollment int    NOT NULL,
    step       int    NOT NULL,
    execution  int    NOT NULL,
    tenant     int    NOT NULL,
    queue      bytea  NOT NULL,
    sequence   bigint NOT NULL,
    task       bytea  NOT NULL,
    PRIMARY KEY (record, enrollment, step, execution)
);
CREATE INDEX effects_open ON effects (tenant, queue, sequence);

CREATE TABLE documents (
    tenant  int   NOT NULL,
    kind    bytea NOT NULL,
    id      bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);

-- A row per owner, summed when read: two owners never wait for each other.
CREATE TABLE counters (
    tenant   int    NOT NULL,
    workflow int    NOT NULL,
    version  int    NOT NULL,
    kind     int    NOT NULL,
    step     int    NOT NULL,
    code     int    NOT NULL,
    owner    int    NOT NULL,
    value    bigint NOT NULL,
    PRIMARY KEY (tenant, workflow, version, kind, step, code, owner)
) WITH (fillfactor = 50);
