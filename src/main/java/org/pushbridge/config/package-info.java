/**
 * The configuration file: read from HOCON, checked, and handed on as records that hide secrets when printed.
 *
 * <p>{@link org.pushbridge.config.Config#load} is the way in. Everything that is wrong with a file is told at once, as
 * sentences that name the place and say what to write instead ({@link org.pushbridge.config.ConfigException}).
 */
@NullMarked
package org.pushbridge.config;

import org.jspecify.annotations.NullMarked;
