/**
 * Runs calls: shards with one thread each, bounded mailboxes, timers, and the map from dialogs and addresses to calls.
 *
 * <p>One thread owns a call from its beginning to its end, so that neither the rules nor what an edge keeps for a call
 * needs a lock.
 */
@NullMarked
package org.pushbridge.engine;

import org.jspecify.annotations.NullMarked;
