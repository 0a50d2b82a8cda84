/** The simulated APNs is as strict as it says: each rule, fault and delivery against real HTTP/2 clients. */
@NullMarked
package org.pushbridge.sim.apns;

import org.jspecify.annotations.NullMarked;
