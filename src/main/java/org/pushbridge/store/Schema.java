package org.pushbridge.store;

import java.util.Arrays;
import java.util.Optional;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.CoreErrorCode;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.MigrationVersion;

/** The tables, and how they get to the version this program knows: by the migrations on the class path. */
final class Schema {
    /** Where Flyway notes what it has done; no database of ours is without it. */
    static final String HISTORY_TABLE = "flyway_schema_history";

    private Schema() {}

    /**
     * Applies the migrations that are missing. Does nothing if there are none.
     *
     * @throws StoreException if the schema is newer than this program, is another program's, or cannot be changed
     */
    static void bringUpToDate(Database database, String url) {
        try {
            Flyway flyway = Flyway.configure(Schema.class.getClassLoader())
                    .dataSource(url, database.settings.user(), database.settings.password())
                    .locations("classpath:org/pushbridge/store/migration")
                    .table(HISTORY_TABLE)
                    .failOnMissingLocations(true)
                    .load();
            refuseNewerSchema(database, flyway.info().all());
            flyway.migrate();
        } catch (FlywayException e) {
            if (e.getErrorCode() == CoreErrorCode.NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE) {
                throw new StoreException(
                        "The database " + database.place()
                                + " holds tables of another program: give Pushbridge an empty database of its own.",
                        e);
            }
            throw database.explain("Bringing the schema up to date in", e);
        }
    }

    private static void refuseNewerSchema(Database database, MigrationInfo[] migrations) {
        Optional<MigrationVersion> newer = Arrays.stream(migrations)
                .filter(m -> m.getState().isApplied() && !m.getState().isResolved())
                .map(MigrationInfo::getVersion)
                .max(MigrationVersion::compareTo);
        if (newer.isPresent()) {
            throw new StoreException("The database " + database.place()
                    + " was written by a newer Pushbridge, and this one does not know its schema, version "
                    + newer.get() + ": start the newer one, or put back the backup from before the upgrade.");
        }
    }
}
