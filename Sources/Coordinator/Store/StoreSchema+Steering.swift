extension StoreSchema {
    /// Version 3: users hold jobs back, workers are known to have left, attempts of different
    /// terms may have one number, and a second result that agrees has a row.
    static let steering = """
        ALTER TABLE job ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
        ALTER TABLE worker ADD COLUMN leftAt INTEGER;
        CREATE TABLE attemptOfTerm (
          id INTEGER PRIMARY KEY,
          job INTEGER NOT NULL REFERENCES job(id),
          attempt INTEGER NOT NULL CHECK (attempt > 0),
          term INTEGER NOT NULL,
          worker TEXT NOT NULL REFERENCES worker(id),
          entryFirst INTEGER NOT NULL,
          entryEnd INTEGER NOT NULL CHECK (entryEnd > entryFirst),
          state TEXT NOT NULL CHECK (state IN ('accepted', 'agreed', 'disagreed', 'error',
            'slotDeath', 'workerLost', 'coordinatorLost', 'handedBack', 'probation', 'forgotten')),
          error TEXT,
          logTail TEXT,
          seconds REAL,
          endedAt INTEGER NOT NULL,
          UNIQUE (job, attempt, term)
        ) STRICT;
        INSERT INTO attemptOfTerm SELECT id, job, attempt, term, worker, entryFirst, entryEnd,
          state, error, logTail, seconds, endedAt FROM attempt;
        DROP TABLE attempt;
        ALTER TABLE attemptOfTerm RENAME TO attempt;
        CREATE INDEX sweepJobByJob ON sweepJob(job);
        DROP VIEW progress;
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
        """
}
