-- Several processes that commit to one journal. Each has a row of its own beside row 1, which has its name, its epoch and the number of its last
-- batch; row 1 has the end of the journal, and whoever commits locks both. Without its row a process is fenced: whoever finds that it has gone
-- deletes it. Row 1 says whether it is shared; taking it for oneself, or sharing what somebody had for himself, raises its epoch and so fences
-- those from before.
ALTER TABLE owners ADD COLUMN name text UNIQUE;
ALTER TABLE owners ADD COLUMN shared boolean NOT NULL DEFAULT false;
INSERT INTO sequences (name, next) VALUES ('owner', 2);
