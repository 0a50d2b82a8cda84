/** How the Apple edge behaves, against a strict simulated APNs over real HTTP/2 and TLS. */
@NullMarked
package org.pushbridge.push;

import org.jspecify.annotations.NullMarked;
