/**
 * What survives a restart: users, devices and tombstones, in an embedded H2 file or in PostgreSQL.
 *
 * <p>{@link org.pushbridge.store.Store} is the door; all that is written passes one thread that commits in groups.
 * What differs between the two databases is in the two kinds of {@code Database}; the SQL is the same for both.
 */
@NullMarked
package org.pushbridge.store;

import org.jspecify.annotations.NullMarked;
