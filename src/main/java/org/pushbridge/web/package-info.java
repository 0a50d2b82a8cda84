/**
 * The verdict API: over HTTP, a device that was pushed to asks whether its call still lives, before SIP is up.
 *
 * <p>{@link org.pushbridge.web.VerdictServer} serves it, {@link org.pushbridge.web.VerdictTokens} says who may ask for
 * which call, and {@link org.pushbridge.web.CallDesk} is where the answers come from.
 */
@NullMarked
package org.pushbridge.web;

import org.jspecify.annotations.NullMarked;
