/**
 * The Apple edge: turns "wake this device" into an APNs request over HTTP/2 and an answer into a value.
 *
 * <p>{@link org.pushbridge.push.PushSender} is the way in. What Apple asks of each kind of push is in
 * {@link org.pushbridge.push.PushRule}, what each answer means in {@code ApnsAnswer}, what is written into the payload
 * in {@link org.pushbridge.push.PayloadTemplates}. One push is carried through by a {@code Delivery}; what is shared
 * by all pushes with the same credentials is an {@code ApnsLink}.
 */
@NullMarked
package org.pushbridge.push;

import org.jspecify.annotations.NullMarked;
