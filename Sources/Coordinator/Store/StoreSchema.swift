/// The shape of a store: who it belongs to, and the steps that lead to its newest version.
///
/// Steps name everything by string and are frozen once merged; version `n` is what the first `n`
/// of them make.
public struct StoreSchema: Sendable {
    public var applicationID: Int
    public var migrations: [String]

    public init(applicationID: Int, migrations: [String]) {
        self.applicationID = applicationID
        self.migrations = migrations
    }

    public var version: Int { migrations.count }

    /// What this program reads and writes.
    public static let current = StoreSchema(
        applicationID: 0x4654_484D,  // "FTHM"
        migrations: [
            StoreSchema.first, StoreSchema.filterRows, StoreSchema.steering, StoreSchema.defenses,
            StoreSchema.landscapes, StoreSchema.scores, StoreSchema.keyIndex,
        ])

    private static let first = planTables + workTables + resultTables + derivedTables + liveViews

    private static let planTables = """
        CREATE TABLE term (
          number INTEGER PRIMARY KEY,
          startedAt INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE sweep (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE CHECK (name <> ''),
          manifest TEXT NOT NULL,
          comparison TEXT NOT NULL CHECK (json_valid(comparison)),
          createdAt INTEGER NOT NULL,
          registeredAt INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE cell (
          id INTEGER PRIMARY KEY,
          sweep INTEGER NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
          key TEXT NOT NULL CHECK (length(key) = 64),
          label TEXT NOT NULL,
          position INTEGER NOT NULL,
          hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
          method TEXT NOT NULL,
          methodName TEXT NOT NULL,
          task TEXT NOT NULL,
          model TEXT NOT NULL,
          defense TEXT NOT NULL,
          dataSet TEXT NOT NULL,
          epochs INTEGER NOT NULL CHECK (epochs >= 0),
          classCount INTEGER NOT NULL CHECK (classCount > 0),
          granularity TEXT NOT NULL,
          baselineGroup TEXT NOT NULL CHECK (json_valid(baselineGroup)),
          methodSettings TEXT NOT NULL CHECK (json_valid(methodSettings)),
          UNIQUE (sweep, key)
        ) STRICT;
        CREATE TABLE run (
          id INTEGER PRIMARY KEY,
          cell INTEGER NOT NULL REFERENCES cell(id) ON DELETE CASCADE,
          seed INTEGER NOT NULL,
          hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
          UNIQUE (cell, seed)
        ) STRICT;
        """

    private static let workTables = """
        CREATE TABLE job (
          id INTEGER PRIMARY KEY,
          key TEXT NOT NULL UNIQUE CHECK (length(key) = 64),
          kind TEXT NOT NULL,
          spec TEXT NOT NULL CHECK (json_valid(spec)),
          entryCount INTEGER NOT NULL CHECK (entryCount > 0),
          state TEXT NOT NULL DEFAULT 'open'
            CHECK (state IN ('open', 'finished', 'quarantined', 'blocked')),
          reason TEXT,
          forgivenAttempts INTEGER NOT NULL DEFAULT 0 CHECK (forgivenAttempts >= 0)
        ) STRICT;
        CREATE TABLE sweepJob (
          sweep INTEGER NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          job INTEGER NOT NULL REFERENCES job(id),
          PRIMARY KEY (sweep, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE runJob (
          run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          role TEXT NOT NULL CHECK (role IN ('poison', 'segment', 'sal')),
          position INTEGER NOT NULL,
          epoch INTEGER CHECK ((role = 'sal') = (epoch IS NOT NULL)),
          job INTEGER NOT NULL REFERENCES job(id),
          PRIMARY KEY (run, role, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX runJobByJob ON runJob(job);
        CREATE TABLE worker (
          id TEXT PRIMARY KEY,
          host TEXT,
          processID INTEGER,
          slots INTEGER,
          build TEXT,
          numericClass TEXT,
          firstSeenAt INTEGER NOT NULL,
          lastSeenAt INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE attempt (
          id INTEGER PRIMARY KEY,
          job INTEGER NOT NULL REFERENCES job(id),
          attempt INTEGER NOT NULL CHECK (attempt > 0),
          term INTEGER NOT NULL,
          worker TEXT NOT NULL REFERENCES worker(id),
          entryFirst INTEGER NOT NULL,
          entryEnd INTEGER NOT NULL CHECK (entryEnd > entryFirst),
          state TEXT NOT NULL CHECK (state IN ('accepted', 'disagreed', 'error', 'slotDeath',
            'workerLost', 'coordinatorLost', 'handedBack')),
          error TEXT,
          logTail TEXT,
          seconds REAL,
          endedAt INTEGER NOT NULL,
          UNIQUE (job, attempt)
        ) STRICT;
        CREATE TABLE event (
          id INTEGER PRIMARY KEY,
          at INTEGER NOT NULL,
          kind TEXT NOT NULL,
          subject TEXT NOT NULL,
          detail TEXT NOT NULL
        ) STRICT;
        CREATE INDEX eventByKind ON event(kind);
        CREATE TABLE jobCost (
          job INTEGER PRIMARY KEY REFERENCES job(id),
          seconds REAL NOT NULL,
          forwardEquivalents REAL NOT NULL
        ) STRICT;
        """

    private static let resultTables = """
        CREATE TABLE artifact (
          job INTEGER NOT NULL REFERENCES job(id),
          name TEXT NOT NULL,
          digest TEXT NOT NULL CHECK (length(digest) = 64),
          bytes INTEGER NOT NULL CHECK (bytes >= 0),
          PRIMARY KEY (job, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE metric (
          job INTEGER NOT NULL REFERENCES job(id),
          epoch INTEGER NOT NULL,
          task TEXT NOT NULL,
          split TEXT NOT NULL,
          name TEXT NOT NULL,
          value REAL,
          flag TEXT CHECK (value IS NOT NULL OR flag IS NOT NULL),
          PRIMARY KEY (job, epoch, task, split, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE poisonReport (
          job INTEGER NOT NULL REFERENCES job(id),
          name TEXT NOT NULL,
          number REAL,
          word TEXT,
          PRIMARY KEY (job, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE sal (
          job INTEGER NOT NULL REFERENCES job(id),
          layerIndex INTEGER NOT NULL CHECK (layerIndex >= 0),
          layer TEXT NOT NULL,
          weightCount INTEGER NOT NULL,
          weightNorm REAL,
          originLoss REAL,
          originAccuracy REAL,
          sMax REAL,
          sMin REAL,
          sal REAL,
          salAccuracy REAL,
          flag TEXT CHECK (sal IS NOT NULL OR flag IS NOT NULL),
          forwardEquivalents REAL,
          PRIMARY KEY (job, layerIndex)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE salWalk (
          job INTEGER NOT NULL,
          layerIndex INTEGER NOT NULL,
          direction TEXT NOT NULL CHECK (direction IN ('down', 'up')),
          losses TEXT NOT NULL,
          accuracies TEXT NOT NULL,
          radii TEXT NOT NULL,
          reachedAt INTEGER,
          diverged INTEGER NOT NULL CHECK (diverged IN (0, 1)),
          PRIMARY KEY (job, layerIndex, direction),
          FOREIGN KEY (job, layerIndex) REFERENCES sal(job, layerIndex)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE landscape (
          job INTEGER NOT NULL REFERENCES job(id),
          x REAL NOT NULL,
          y REAL NOT NULL,
          loss REAL,
          flag TEXT CHECK (loss IS NOT NULL OR flag IS NOT NULL),
          PRIMARY KEY (job, x, y)
        ) STRICT, WITHOUT ROWID;
        """
}
