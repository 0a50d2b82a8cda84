package org.pushbridge.app;

import java.util.List;
import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/**
 * What {@code pushbridge user} and {@code pushbridge device} can do to the bridge's users, wherever their database is open: in the running server
 * ({@link AdminClient}) or in this process ({@link DirectoryUsers}). Every method blocks until it is done and, if it
 * changes something, until that is on disk; it throws {@link CommandFailed} if it cannot be done.
 */
interface Users extends AutoCloseable {
    /** All users, in the order of their addresses. */
    List<Listed> list();

    /**
     * Adds a user.
     *
     * @param replace whether a user of that address gets the new password
     * @return false if nothing was done, because there is such a user and {@code replace} is false
     */
    boolean add(User user, boolean replace);

    /**
     * Removes a user with all devices.
     *
     * @return false if there is no such user
     */
    boolean remove(Aor aor);

    /** The devices of one user, or of all, in the order of their addresses; none for an unknown user. */
    List<DeviceStatus> devices(Optional<Aor> of);

    @Override
    void close();

    /**
     * A user, and how many devices there are.
     *
     * @param registered of them, how many have a registration that counts
     * @param wakeable of them, how many can be woken by push
     */
    record Listed(Aor aor, int devices, int registered, int wakeable) {}
}
