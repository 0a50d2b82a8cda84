/** What {@code pushbridge demo} plays: the real bridge among simulated phones, a simulated PBX and a simulated APNs. */
@NullMarked
package org.pushbridge.app.demo;

import org.jspecify.annotations.NullMarked;
