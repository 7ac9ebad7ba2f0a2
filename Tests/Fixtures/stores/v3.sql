-- A store as the program of schema version 3 left it; rows in every table. Never edited.
CREATE TABLE artifact (
          job INTEGER NOT NULL REFERENCES job(id),
          name TEXT NOT NULL,
          digest TEXT NOT NULL CHECK (length(digest) = 64),
          bytes INTEGER NOT NULL CHECK (bytes >= 0),
          PRIMARY KEY (job, name)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "artifact" VALUES(1,'poison','0000000000000000000000000000000000000000000000009999999999999999',1024);
INSERT INTO "artifact" VALUES(2,'checkpoint','000000000000000000000000000000000000000000000000aaaaaaaaaaaaaaaa',2048);
CREATE TABLE "attempt" (
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
INSERT INTO "attempt" VALUES(1,1,1,1,'abababababababababababababababab',0,1,'accepted',NULL,NULL,1.5,1700000001000000);
INSERT INTO "attempt" VALUES(2,2,1,1,'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',0,1,'workerLost','the worker was lost',NULL,NULL,1700000001000001);
INSERT INTO "attempt" VALUES(3,2,2,1,'abababababababababababababababab',0,1,'accepted',NULL,NULL,2.5,1700000001000002);
INSERT INTO "attempt" VALUES(4,3,1,1,'abababababababababababababababab',0,1,'accepted',NULL,NULL,0.5,1700000001000003);
INSERT INTO "attempt" VALUES(5,3,2,2,'abababababababababababababababab',1,2,'accepted',NULL,NULL,0.25,1700000001000004);
INSERT INTO "attempt" VALUES(6,4,1,2,'abababababababababababababababab',0,1,'error','no','tail of the log',NULL,1700000001000005);
INSERT INTO "attempt" VALUES(7,4,2,2,'abababababababababababababababab',0,1,'slotDeath','ended by SIGSEGV','',NULL,1700000001000006);
INSERT INTO "attempt" VALUES(8,1,1,2,'abababababababababababababababab',0,1,'agreed',NULL,NULL,1.25,1700000001000007);
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
INSERT INTO "cell" VALUES(1,1,'0000000000000000000000000000000000000000000000001111111111111111','000000000000',0,0,'clean','clean','cls','lenet5','none','fashion-mnist',2,10,'layer','{}','{"name":"clean"}');
INSERT INTO "cell" VALUES(2,1,'0000000000000000000000000000000000000000000000002222222222222222','000000000000',1,0,'rand-s','rand-s','cls','lenet5','none','fashion-mnist',2,10,'layer','{}','{"name":"rand-s"}');
CREATE TABLE event (
          id INTEGER PRIMARY KEY,
          at INTEGER NOT NULL,
          kind TEXT NOT NULL,
          subject TEXT NOT NULL,
          detail TEXT NOT NULL
        ) STRICT;
INSERT INTO "event" VALUES(1,1700000000500000,'workerLost','cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd','the worker was lost');
INSERT INTO "event" VALUES(2,1700000000600000,'disagreement','0000000000000000000000000000000000000000000000005555555555555555','conv1 sal: 1.0 was accepted, 2.0 came later');
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
        , paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))) STRICT;
INSERT INTO "job" VALUES(1,'0000000000000000000000000000000000000000000000003333333333333333','poison','{}',1,'finished',NULL,0,0);
INSERT INTO "job" VALUES(2,'0000000000000000000000000000000000000000000000004444444444444444','train','{}',1,'finished',NULL,1,0);
INSERT INTO "job" VALUES(3,'0000000000000000000000000000000000000000000000005555555555555555','sal','{}',2,'finished',NULL,0,0);
INSERT INTO "job" VALUES(4,'0000000000000000000000000000000000000000000000006666666666666666','train','{}',1,'quarantined','3 attempts failed; the last: no',0,0);
INSERT INTO "job" VALUES(5,'0000000000000000000000000000000000000000000000007777777777777777','sal','{}',2,'blocked','needs job 0000000000000000000000000000000000000000000000006666666666666666, which was given up',0,0);
INSERT INTO "job" VALUES(6,'0000000000000000000000000000000000000000000000008888888888888888','train','{}',1,'open',NULL,0,1);
CREATE TABLE jobCost (
          job INTEGER PRIMARY KEY REFERENCES job(id),
          seconds REAL NOT NULL,
          forwardEquivalents REAL NOT NULL
        ) STRICT;
INSERT INTO "jobCost" VALUES(1,1.5,0.0);
INSERT INTO "jobCost" VALUES(2,2.5,0.0);
INSERT INTO "jobCost" VALUES(3,0.75,24.5);
CREATE TABLE landscape (
          job INTEGER NOT NULL REFERENCES job(id),
          x REAL NOT NULL,
          y REAL NOT NULL,
          loss REAL,
          flag TEXT CHECK (loss IS NOT NULL OR flag IS NOT NULL),
          PRIMARY KEY (job, x, y)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "landscape" VALUES(2,-1.0,0.0,2.5,NULL);
INSERT INTO "landscape" VALUES(2,0.0,0.0,NULL,'diverged');
CREATE TABLE leaderboard (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, n INTEGER NOT NULL,
          ud REAL, udLow REAL, udHigh REAL, metric REAL, metricLow REAL, metricHigh REAL,
          damage REAL, calibrated INTEGER CHECK (calibrated IN (0, 1)),
          learnable REAL, learnableBaseline REAL, learnableTotal REAL,
          controlLow REAL, controlHigh REAL,
          rule TEXT NOT NULL, countKind TEXT NOT NULL, baseline TEXT NOT NULL,
          udMean REAL, udReason TEXT, udDeviation REAL,
          metricName TEXT NOT NULL, metricDeviation REAL, chance REAL,
          damageLow REAL, damageHigh REAL, damageReason TEXT,
          trainLoss REAL, salLoss REAL, salLossBaseline REAL, reach REAL, reachBaseline REAL,
          layerCount INTEGER, dataSet TEXT NOT NULL, role TEXT NOT NULL
            CHECK (role IN ('clean', 'control', 'method')),
          seeds INTEGER NOT NULL, position INTEGER NOT NULL, note TEXT,
          PRIMARY KEY (sweep, cell)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "leaderboard" VALUES('old','000000000000','clean','cls','lenet5','none',1,1.0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'crossfit','layers','vanilla',NULL,NULL,NULL,'accuracy',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'fashion-mnist','clean',1,0,NULL);
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
INSERT INTO "metric" VALUES(2,1,'cls','test','accuracy',0.5,NULL);
INSERT INTO "metric" VALUES(2,2,'cls','test','accuracy',0.75,NULL);
INSERT INTO "metric" VALUES(2,2,'cls','train','loss',NULL,'not finite');
CREATE TABLE poisonReport (
          job INTEGER NOT NULL REFERENCES job(id),
          name TEXT NOT NULL,
          number REAL,
          word TEXT,
          PRIMARY KEY (job, name)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "poisonReport" VALUES(1,'kind',NULL,'sampleWise');
INSERT INTO "poisonReport" VALUES(1,'maxChange',3.13725490196078427018e-02,NULL);
CREATE TABLE run (
          id INTEGER PRIMARY KEY,
          cell INTEGER NOT NULL REFERENCES cell(id) ON DELETE CASCADE,
          seed INTEGER NOT NULL,
          hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
          UNIQUE (cell, seed)
        ) STRICT;
INSERT INTO "run" VALUES(1,1,0,0);
INSERT INTO "run" VALUES(2,2,0,0);
CREATE TABLE runJob (
          run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
          role TEXT NOT NULL CHECK (role IN ('poison', 'segment', 'sal')),
          position INTEGER NOT NULL,
          epoch INTEGER CHECK ((role = 'sal') = (epoch IS NOT NULL)),
          job INTEGER NOT NULL REFERENCES job(id),
          PRIMARY KEY (run, role, position)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "runJob" VALUES(1,'sal',0,2,3);
INSERT INTO "runJob" VALUES(1,'segment',0,NULL,2);
INSERT INTO "runJob" VALUES(2,'poison',0,NULL,1);
INSERT INTO "runJob" VALUES(2,'sal',0,2,5);
INSERT INTO "runJob" VALUES(2,'segment',0,NULL,4);
INSERT INTO "runJob" VALUES(2,'segment',1,NULL,6);
CREATE TABLE "sal" (
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
INSERT INTO "sal" VALUES(3,0,0,'conv1',NULL,54,1.25,0.5,0.875,0.75,0.25,0.75,0.125,NULL,12.0);
INSERT INTO "sal" VALUES(3,1,1,'fc',NULL,840,2.5,0.5,0.875,NULL,NULL,NULL,NULL,'diverged',12.5);
INSERT INTO "sal" VALUES(5,0,0,'conv1',3,9,NULL,NULL,NULL,NULL,NULL,0.5,NULL,NULL,NULL);
CREATE TABLE "salMatrix" (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, seed INTEGER NOT NULL,
          granularity TEXT NOT NULL, epoch INTEGER NOT NULL, layerIndex INTEGER NOT NULL,
          layer TEXT NOT NULL, sMax REAL, sMin REAL, sal REAL, salAccuracy REAL, flag TEXT,
          filter INTEGER, entry INTEGER NOT NULL,
          PRIMARY KEY (sweep, cell, seed, epoch, entry)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "salMatrix" VALUES('old','000000000000','clean','cls','lenet5','none',0,'layer',2,0,'conv1',0.75,0.25,0.75,0.125,NULL,NULL,0);
INSERT INTO "salMatrix" VALUES('old','000000000000','clean','cls','lenet5','none',0,'layer',2,1,'fc',NULL,NULL,NULL,NULL,'diverged',NULL,1);
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
INSERT INTO "salWalk" VALUES(3,0,'down','[0.5,0.25]','[0.75,0.875]','[0.02,0.05]',2,0);
INSERT INTO "salWalk" VALUES(3,0,'up','[1.0,1.25]','[0.5,0.25]','[0.02,0.05]',2,0);
INSERT INTO "salWalk" VALUES(3,1,'down','[0.5]','[0.75]','[0.02]',NULL,0);
INSERT INTO "salWalk" VALUES(3,1,'up','[null]','[0.1]','[0.05]',NULL,1);
INSERT INTO "salWalk" VALUES(5,0,'up','[1.0]','[0.5]','[0.05]',1,0);
CREATE TABLE sweep (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE CHECK (name <> ''),
          manifest TEXT NOT NULL,
          comparison TEXT NOT NULL CHECK (json_valid(comparison)),
          createdAt INTEGER NOT NULL,
          registeredAt INTEGER NOT NULL
        ) STRICT;
INSERT INTO "sweep" VALUES(1,'old','{"name":"old"}','{"baseline":"both","controls":["rand-s"],"threshold":"crossfit"}',1700000000000000,1700000100000000);
CREATE TABLE sweepJob (
          sweep INTEGER NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          job INTEGER NOT NULL REFERENCES job(id),
          PRIMARY KEY (sweep, position)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "sweepJob" VALUES(1,0,1);
INSERT INTO "sweepJob" VALUES(1,1,2);
INSERT INTO "sweepJob" VALUES(1,2,3);
INSERT INTO "sweepJob" VALUES(1,3,4);
INSERT INTO "sweepJob" VALUES(1,4,5);
INSERT INTO "sweepJob" VALUES(1,5,6);
CREATE TABLE term (
          number INTEGER PRIMARY KEY,
          startedAt INTEGER NOT NULL
        ) STRICT;
INSERT INTO "term" VALUES(1,1700000000000000);
INSERT INTO "term" VALUES(2,1700000100000000);
CREATE TABLE udScore (
          sweep TEXT NOT NULL, cell TEXT NOT NULL, method TEXT NOT NULL, task TEXT NOT NULL,
          model TEXT NOT NULL, defense TEXT NOT NULL, seed INTEGER, rule TEXT NOT NULL,
          countKind TEXT NOT NULL, baseline TEXT NOT NULL, beta REAL, learnable REAL,
          learnableBaseline REAL, ud REAL, reason TEXT,
          n INTEGER NOT NULL, udLow REAL, udHigh REAL, udMean REAL,
          CHECK (ud IS NOT NULL OR reason IS NOT NULL),
          UNIQUE (sweep, cell, seed, rule, countKind, baseline)
        ) STRICT;
INSERT INTO "udScore" VALUES('old','000000000000','clean','cls','lenet5','none',0,'released','layers','vanilla',0.5,1.0,1.0,1.0,NULL,1,NULL,NULL,NULL);
CREATE TABLE worker (
          id TEXT PRIMARY KEY,
          host TEXT,
          processID INTEGER,
          slots INTEGER,
          build TEXT,
          numericClass TEXT,
          firstSeenAt INTEGER NOT NULL,
          lastSeenAt INTEGER NOT NULL
        , leftAt INTEGER) STRICT, WITHOUT ROWID;
INSERT INTO "worker" VALUES('abababababababababababababababab','node',7,2,'0.1.0','class',1700000000000000,1700000000000000,NULL);
INSERT INTO "worker" VALUES('cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd',NULL,NULL,NULL,NULL,NULL,1700000000000001,1700000000000001,1700000002000000);
CREATE INDEX runJobByJob ON runJob(job);
CREATE INDEX eventByKind ON event(kind);
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
CREATE INDEX sweepJobByJob ON sweepJob(job);
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
