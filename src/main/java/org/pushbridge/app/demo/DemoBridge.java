package org.pushbridge.app.demo;

import org.pushbridge.config.Config;

/** The bridge as the demo needs it. */
public interface DemoBridge {
    /** A bridge that was started. */
    interface Running {
        /** Stops it. */
        void stop();
    }

    /** Starts it. Once stopped, it can be started again with the same configuration. */
    Running start(Config config);

    /** Gives it a user, while it is not running. */
    void addUser(Config config, String address, String password);

    /** How many devices of a user have, as the running bridge sees it, a connection that stands. */
    long connectedDevices(Config config, String address);

    /** What its operator is told of devices, while it is running. */
    String deviceNotes(Config config);
}
