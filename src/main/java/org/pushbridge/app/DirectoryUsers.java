package org.pushbridge.app;

import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.User;

/** The users of a directory in this process. Safe for any thread. */
final class DirectoryUsers implements Users {
    private static final int WRITE_SECONDS = 10;

    private final DeviceDirectory directory;
    private final Clock clock;
    private final Runnable close;

    /** @param close what to close with this, if anything */
    DirectoryUsers(DeviceDirectory directory, Clock clock, Runnable close) {
        this.directory = directory;
        this.clock = clock;
        this.close = close;
    }

    @Override
    public List<Listed> list() {
        Instant now = clock.instant();
        return directory.users().stream()
                .map(user -> {
                    List<Device> devices = directory.devices(user.aor());
                    return new Listed(
                            user.aor(),
                            devices.size(),
                            (int) devices.stream()
                                    .filter(device -> device.newestBinding(now).isPresent())
                                    .count(),
                            (int) devices.stream().filter(Device::isPushable).count());
                })
                .toList();
    }

    @Override
    public synchronized boolean add(User user, boolean replace) {
        if (!replace && directory.user(user.aor()).isPresent()) {
            return false;
        }
        await(directory.saveUser(user), "Saving", user.aor());
        return true;
    }

    @Override
    public synchronized boolean remove(Aor aor) {
        if (directory.user(aor).isEmpty()) {
            return false;
        }
        await(directory.removeUser(aor), "Removing", aor);
        return true;
    }

    @Override
    public void close() {
        close.run();
    }

    private static void await(CompletionStage<Void> written, String doing, Aor aor) {
        try {
            written.toCompletableFuture().get(WRITE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new CommandFailed(doing + " " + aor + " in the database failed: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new CommandFailed(
                    doing + " " + aor + " took more than " + WRITE_SECONDS
                            + " s; the database is slow or gone, see the server's log",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailed(doing + " " + aor + " was interrupted", e);
        }
    }
}
