-- Tenants that were moved here from another store. Turns of such a one may be missing although the journal goes back further: where its own begins then, else 0.
CREATE TABLE moved_tenants (
    tenant        int         PRIMARY KEY,
    moved_at      timestamptz NOT NULL DEFAULT now(),
    journal_begin bigint      NOT NULL
);

-- What those missing turns had counted: a recount of the journal starts there.
CREATE TABLE removed_counters (
    tenant   int    NOT NULL,
    workflow int    NOT NULL,
    version  int    NOT NULL,
    kind     int    NOT NULL,
    step     int    NOT NULL,
    code     int    NOT NULL,
    value    bigint NOT NULL,
    PRIMARY KEY (tenant, workflow, version, kind, step, code)
);
