extension StoreSchema {
    /// Version 4: cells know their defense's settings, and why they mean nothing where they do.
    static let defenses = """
        ALTER TABLE cell ADD COLUMN defenseSettings TEXT
          CHECK (defenseSettings IS NULL OR json_valid(defenseSettings));
        ALTER TABLE cell ADD COLUMN notApplicable TEXT;
        """
}
