package org.pushbridge.app;

import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.pushbridge.device.Aor;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceDirectory;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushBudget;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.User;

/** The users of a directory in this process. Safe for any thread. */
final class DirectoryUsers implements Users {
    private static final int WRITE_SECONDS = 10;

    private final DeviceDirectory directory;
    private final Clock clock;
    private final Predicate<Flow> isAlive;
    private final Optional<PushBudget> budget;
    private final Runnable close;

    /**
     * Those of a database without a server: there are no connections.
     *
     * @param close what to close with this, if anything
     */
    DirectoryUsers(DeviceDirectory directory, Clock clock, Runnable close) {
        this(directory, clock, flow -> !flow.isConnection(), Optional.empty(), close);
    }

    /**
     * @param isAlive whether a connection still stands
     * @param budget that of the running server
     */
    DirectoryUsers(
            DeviceDirectory directory,
            Clock clock,
            Predicate<Flow> isAlive,
            Optional<PushBudget> budget,
            Runnable close) {
        this.directory = directory;
        this.clock = clock;
        this.isAlive = isAlive;
        this.budget = budget;
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
    public List<DeviceStatus> devices(Optional<Aor> of) {
        Instant now = clock.instant();
        return of.map(Stream::of)
                .orElseGet(() -> directory.users().stream().map(User::aor))
                .flatMap(aor -> directory.devices(aor).stream())
                .map(device -> status(device, now))
                .toList();
    }

    private DeviceStatus status(Device device, Instant now) {
        Optional<PushTarget> target = device.target();
        return new DeviceStatus(
                device.id(),
                device.aor(),
                target.map(PushTarget::bundleId),
                target.map(t -> t.environment().name().toLowerCase(Locale.ROOT)),
                target.flatMap(PushTarget::voip).isPresent(),
                target.flatMap(PushTarget::regular).isPresent(),
                device.targetFault(),
                device.newestBinding(now)
                        .map(binding -> new DeviceStatus.Registration(
                                binding.flow().toString(),
                                isAlive.test(binding.flow()),
                                binding.registeredAt(),
                                binding.expiresAt(),
                                binding.userAgent())),
                budget.map(known -> known.state(device.id(), now)));
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
