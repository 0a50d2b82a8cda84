package org.pushbridge.sip;

import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;

/** Who is at the other end of a leg, and how messages reach it. */
sealed interface FarEnd {
    /** Whether asserted identities are believed from it and shown to it (RFC 3325, the trust domain). */
    boolean isTrusted();

    /** The same far end, after a message of it came over another flow: what is sent to it follows. */
    FarEnd nowOn(Flow flow);

    /**
     * A registered or authenticated device.
     *
     * @param id its id, unless it called without having registered
     * @param flow what it last sent over in this call
     */
    record DeviceEnd(Aor aor, Optional<DeviceId> id, Flow flow) implements FarEnd {
        @Override
        public boolean isTrusted() {
            return false;
        }

        @Override
        public FarEnd nowOn(Flow newest) {
            return new DeviceEnd(aor, id, newest);
        }
    }

    /**
     * A trunk.
     *
     * @param arrivedOn what its INVITE came over, if it called
     */
    record TrunkEnd(Trunk trunk, Optional<Flow> arrivedOn) implements FarEnd {
        @Override
        public boolean isTrusted() {
            return trunk.trustIdentity();
        }

        @Override
        public FarEnd nowOn(Flow newest) {
            return new TrunkEnd(trunk, Optional.of(newest));
        }
    }
}
