extension StoreSchema {
    /// Version 5: runs have loss landscapes, whose points are told apart by their place among the
    /// job's entries, with a row for each plane and for each checkpoint on it. No version before
    /// sampled any.
    static let landscapes = """
        DROP VIEW problem;
        DROP VIEW progress;
        CREATE TABLE roleOfJob (
          run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          role TEXT NOT NULL CHECK (role IN ('poison', 'segment', 'sal', 'landscape')),
          position INTEGER NOT NULL,
          epoch INTEGER CHECK ((role = 'sal') = (epoch IS NOT NULL)),
          job INTEGER NOT NULL REFERENCES job(id),
          PRIMARY KEY (run, role, position)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO roleOfJob SELECT run, role, position, epoch, job FROM runJob;
        DROP TABLE runJob;
        ALTER TABLE roleOfJob RENAME TO runJob;
        CREATE INDEX runJobByJob ON runJob(job);
        DROP TABLE landscape;
        CREATE TABLE landscape (
          job INTEGER NOT NULL REFERENCES job(id),
          entry INTEGER NOT NULL CHECK (entry >= 0),
          x REAL NOT NULL,
          y REAL NOT NULL,
          loss REAL,
          accuracy REAL,
          flag TEXT CHECK (loss IS NOT NULL OR flag IS NOT NULL),
          PRIMARY KEY (job, entry)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE landscapePlane (
          job INTEGER PRIMARY KEY REFERENCES job(id),
          plane TEXT NOT NULL CHECK (plane IN ('random', 'trajectory')),
          epoch INTEGER NOT NULL,
          loss REAL,
          accuracy REAL,
          lengthX REAL NOT NULL,
          lengthY REAL NOT NULL,
          explainedX REAL,
          explainedY REAL
        ) STRICT;
        CREATE TABLE landscapeStep (
          job INTEGER NOT NULL REFERENCES job(id),
          epoch INTEGER NOT NULL,
          x REAL NOT NULL,
          y REAL NOT NULL,
          distance REAL NOT NULL,
          PRIMARY KEY (job, epoch)
        ) STRICT, WITHOUT ROWID;
        """ + progressOfVersion5 + problemOfVersion5 + landscapeViews

    private static let progressOfVersion5 = """
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

    private static let problemOfVersion5 = """
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

    /// Planes of one cell and run, always current.
    private static let landscapeViews = """
        CREATE VIEW lossPlane AS
          SELECT s.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, r.seed,
            p.plane, p.epoch, p.loss, p.accuracy, p.lengthX, p.lengthY, p.explainedX, p.explainedY
          FROM sweep s JOIN cell c ON c.sweep = s.id AND c.hidden = 0
            JOIN run r ON r.cell = c.id AND r.hidden = 0
            JOIN runJob rj ON rj.run = r.id AND rj.role = 'landscape'
            JOIN landscapePlane p ON p.job = rj.job;
        CREATE VIEW lossSurface AS
          SELECT s.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, r.seed,
            p.plane, l.entry, l.x, l.y, l.loss, l.accuracy, l.flag
          FROM sweep s JOIN cell c ON c.sweep = s.id AND c.hidden = 0
            JOIN run r ON r.cell = c.id AND r.hidden = 0
            JOIN runJob rj ON rj.run = r.id AND rj.role = 'landscape'
            JOIN landscapePlane p ON p.job = rj.job
            JOIN landscape l ON l.job = rj.job;
        CREATE VIEW lossTrajectory AS
          SELECT s.name AS sweep, c.label AS cell, c.method, c.task, c.model, c.defense, r.seed,
            t.epoch, t.x, t.y, t.distance
          FROM sweep s JOIN cell c ON c.sweep = s.id AND c.hidden = 0
            JOIN run r ON r.cell = c.id AND r.hidden = 0
            JOIN runJob rj ON rj.run = r.id AND rj.role = 'landscape'
            JOIN landscapeStep t ON t.job = rj.job;
        """
}
