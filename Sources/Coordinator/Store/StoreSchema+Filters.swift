extension StoreSchema {
    /// Version 2: a SAL row may be about one filter of a layer, so that rows are told apart by
    /// their place among the job's entries. Rows from before are whole layers.
    static let filterRows = """
        CREATE TABLE salOfEntry (
          job INTEGER NOT NULL REFERENCES job(id),
          entry INTEGER NOT NULL CHECK (entry >= 0),
          layerIndex INTEGER NOT NULL CHECK (layerIndex >= 0),
          layer TEXT NOT NULL,
          filter INTEGER CHECK (filter >= 0),
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
          PRIMARY KEY (job, entry)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO salOfEntry
          SELECT job, layerIndex, layerIndex, layer, NULL, weightCount, weightNorm, originLoss,
            originAccuracy, sMax, sMin, sal, salAccuracy, flag, forwardEquivalents FROM sal;
        CREATE TABLE walkBefore AS SELECT * FROM salWalk;
        DROP TABLE salWalk;
        DROP TABLE sal;
        ALTER TABLE salOfEntry RENAME TO sal;
        CREATE TABLE salWalk (
          job INTEGER NOT NULL,
          entry INTEGER NOT NULL,
          direction TEXT NOT NULL CHECK (direction IN ('down', 'up')),
          losses TEXT NOT NULL,
          accuracies TEXT NOT NULL,
          radii TEXT NOT NULL,
          reachedAt INTEGER,
          diverged INTEGER NOT NULL CHECK (diverged IN (0, 1)),
          PRIMARY KEY (job, entry, direction),
          FOREIGN KEY (job, entry) REFERENCES sal(job, entry)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO salWalk
          SELECT job, layerIndex, direction, losses, accuracies, radii, reachedAt, diverged
          FROM walkBefore;
        DROP TABLE walkBefore;
        CREATE TABLE matrixOfEntries (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, seed INTEGER NOT NULL,
          granularity TEXT NOT NULL, epoch INTEGER NOT NULL, layerIndex INTEGER NOT NULL,
          layer TEXT NOT NULL, sMax REAL, sMin REAL, sal REAL, salAccuracy REAL, flag TEXT,
          filter INTEGER, entry INTEGER NOT NULL,
          PRIMARY KEY (sweep, cell, seed, epoch, entry)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO matrixOfEntries
          SELECT sweep, cell, method, task, model, defense, seed, granularity, epoch, layerIndex,
            layer, sMax, sMin, sal, salAccuracy, flag, NULL, layerIndex FROM salMatrix;
        DROP TABLE salMatrix;
        ALTER TABLE matrixOfEntries RENAME TO salMatrix;
        """
}
