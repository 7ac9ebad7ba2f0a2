extension StoreSchema {
    /// Version 7: the index of keys stands beside the table of jobs, not in it, so that a million
    /// jobs are put in first and sorted by key afterwards.
    ///
    /// Migrations run with foreign keys off, as a table that others refer to can only be replaced
    /// so; what they lead to is checked before it is committed.
    static let keyIndex = """
        DROP VIEW progress;
        DROP VIEW problem;
        CREATE TABLE jobByNumber (
          id INTEGER PRIMARY KEY,
          key TEXT NOT NULL CHECK (length(key) = 64),
          kind TEXT NOT NULL,
          spec TEXT NOT NULL CHECK (json_valid(spec)),
          entryCount INTEGER NOT NULL CHECK (entryCount > 0),
          state TEXT NOT NULL DEFAULT 'open'
            CHECK (state IN ('open', 'finished', 'quarantined', 'blocked')),
          reason TEXT,
          forgivenAttempts INTEGER NOT NULL DEFAULT 0 CHECK (forgivenAttempts >= 0),
          paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))
        ) STRICT;
        INSERT INTO jobByNumber SELECT id, key, kind, spec, entryCount, state, reason,
          forgivenAttempts, paused FROM job;
        DROP TABLE job;
        ALTER TABLE jobByNumber RENAME TO job;
        CREATE UNIQUE INDEX jobByKey ON job(key);
        CREATE INDEX jobInTrouble ON job(state) WHERE state IN ('quarantined', 'blocked');
        CREATE VIEW progress AS
          SELECT s.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, j.kind,
            sum(j.state = 'finished') AS done, count(*) AS total,
            sum(j.state = 'open') AS open, sum(j.state = 'quarantined') AS quarantined,
            sum(j.state = 'blocked') AS blocked,
            sum(j.state = 'open' AND j.paused) AS paused
          FROM sweep s
            JOIN cell c ON c.sweep = s.id AND c.hidden = 0
            JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.cell = c.id
            JOIN job j ON j.id = x.job
          GROUP BY s.id, c.position, c.id, j.kind
          ORDER BY s.name, c.position, c.id, j.kind;
        CREATE VIEW problem AS
          SELECT s.name AS sweep, c.label AS cell, c.method, j.kind, j.key AS job,
            j.state AS state, j.reason AS reason
          FROM sweep s JOIN sweepJob sj ON sj.sweep = s.id JOIN job j ON j.id = sj.job
            LEFT JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.job = j.id
            LEFT JOIN cell c ON c.id = x.cell
          WHERE j.state IN ('quarantined', 'blocked')
            AND (c.id IS NULL OR (c.sweep = s.id AND c.hidden = 0))
          UNION ALL
          SELECT s.name, c.label, c.method, j.kind, j.key, 'disagreement', e.detail
          FROM event e JOIN job j ON j.key = e.subject JOIN sweepJob sj ON sj.job = j.id
            JOIN sweep s ON s.id = sj.sweep
            LEFT JOIN (SELECT DISTINCT r.cell, rj.job FROM run r JOIN runJob rj ON rj.run = r.id
              WHERE r.hidden = 0) x ON x.job = j.id
            LEFT JOIN cell c ON c.id = x.cell
          WHERE e.kind = 'disagreement'
            AND (c.id IS NULL OR (c.sweep = s.id AND c.hidden = 0));
        """
}
