package org.pushbridge.store;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.pushbridge.device.Aor;
import org.pushbridge.device.ApnsEnvironment;
import org.pushbridge.device.Binding;
import org.pushbridge.device.Device;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Flow;
import org.pushbridge.device.PushTarget;
import org.pushbridge.device.PushToken;

/**
 * The SQL of the devices with their push targets and bindings. A device is always written whole, in one transaction:
 * its rows are changed, or made if there are none. Those are the same statements in every database, and doing it twice does no harm.
 *
 * <p>Most of what is written are refreshes, which change nothing but the time and the way of a binding. So the row of a device
 * is left alone if it is as it is to be; and the time of a push target, {@code devices.registered_at}, is null if it is that
 * of the device's first binding, as it is when both came with the same REGISTER.
 */
final class DeviceTable {
    /** How many rows are asked of a database at once. */
    static final int FETCH_SIZE = 1_000;

    private static final String UPDATE_DEVICE = "UPDATE devices SET aor_user = ?, aor_host = ?, identity = ?,"
            + " environment = ?, team_id = ?, bundle_id = ?, voip_token = ?, regular_token = ?, registered_at = ?,"
            + " provider = ?, param = ?, prid = ?, target_fault = ? WHERE device_id = ?";

    /** What a device's id is made of, in front of the rest: it cannot have changed. */
    private static final int IDENTITY_COLUMNS = 3;

    private static final String UPDATE_CHANGED_DEVICE = UPDATE_DEVICE
            + Stream.of(
                            "environment",
                            "team_id",
                            "bundle_id",
                            "voip_token",
                            "regular_token",
                            "registered_at",
                            "provider",
                            "param",
                            "prid",
                            "target_fault")
                    .map(column -> column + " IS DISTINCT FROM ?")
                    .collect(Collectors.joining(" OR ", " AND (", ")"));

    private static final String INSERT_DEVICE =
            "INSERT INTO devices (aor_user, aor_host, identity, environment, team_id,"
                    + " bundle_id, voip_token, regular_token, registered_at, provider, param, prid, target_fault, device_id)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private static final String UPDATE_BINDING = "UPDATE bindings SET contact = ?, contact_parameters = ?, q = ?,"
            + " reg_id = ?, transport = ?, local_address = ?, local_port = ?, remote_address = ?, remote_port = ?,"
            + " connection = ?, path = ?, call_id = ?, cseq = ?, registered_at = ?, expires = ?, user_agent = ?,"
            + " dialog_events = ? WHERE device_id = ? AND place = ?";

    private static final String INSERT_BINDING =
            "INSERT INTO bindings (contact, contact_parameters, q, reg_id, transport,"
                    + " local_address, local_port, remote_address, remote_port, connection, path, call_id, cseq, registered_at,"
                    + " expires, user_agent, dialog_events, device_id, place)"
                    + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

    private DeviceTable() {}

    /** Needs a transaction in which the tables do not change. */
    static List<Device> load(Handle handle) {
        Map<DeviceId, List<Binding>> bindings = new HashMap<>();
        loadBindings(
                handle,
                (id, binding) ->
                        bindings.computeIfAbsent(id, key -> new ArrayList<>()).add(binding));
        List<Device> devices = new ArrayList<>();
        load(
                handle,
                device -> devices.add(bindings.getOrDefault(device.id(), List.of()).stream()
                        .reduce(device, Device::and, (one, other) -> other)));
        devices.sort(Comparator.comparing(Device::aor)
                .thenComparing(device -> device.id().value()));
        return devices;
    }

    /** Gives all devices, without their bindings, as they come from the database: there may be a million. */
    static void load(Handle handle, Consumer<Device> each) {
        handle.createQuery("SELECT device_id, aor_user, aor_host, identity, target_fault, environment, team_id,"
                        + " bundle_id, voip_token, regular_token, registered_at, provider, param, prid FROM devices")
                .setFetchSize(FETCH_SIZE)
                .map((row, context) -> device(row))
                .forEach(each);
    }

    /** The same for the bindings; those of a device come in their order. */
    static void loadBindings(Handle handle, BiConsumer<DeviceId, Binding> each) {
        // Most devices have one at most. To sort all of them would take the database longer than to read them.
        for (String part : List.of("place = 0", "place > 0 ORDER BY place")) {
            handle.createQuery("SELECT * FROM bindings WHERE " + part)
                    .setFetchSize(FETCH_SIZE)
                    .map((row, context) -> Map.entry(new DeviceId(row.getString("device_id")), binding(row)))
                    .forEach(binding -> each.accept(binding.getKey(), binding.getValue()));
        }
    }

    private static Device device(ResultSet row) throws SQLException {
        return new Device(
                new DeviceId(row.getString(1)),
                new Aor(row.getString(2), row.getString(3)),
                row.getString(4),
                target(row),
                Optional.ofNullable(row.getString(5)),
                List.of());
    }

    /** Most devices are known, and have as many bindings as before. */
    static void save(WriterConnection in, Device device) throws SQLException {
        String id = device.id().value();
        List<Binding> bindings = device.bindings();
        // There is no binding without its device.
        boolean isKnown = !bindings.isEmpty() && in.execute(UPDATE_BINDING, values(id, 0, bindings.get(0))) > 0;
        @Nullable Object[] values = values(device);
        if (isKnown) {
            int compared = values.length - 1 - IDENTITY_COLUMNS;
            @Nullable Object[] andCompared = Arrays.copyOf(values, values.length + compared);
            System.arraycopy(values, IDENTITY_COLUMNS, andCompared, values.length, compared);
            in.execute(UPDATE_CHANGED_DEVICE, andCompared);
        } else if (in.execute(UPDATE_DEVICE, values) == 0) {
            in.execute(INSERT_DEVICE, values);
        }
        for (int place = isKnown ? 1 : 0; place < bindings.size(); place++) {
            @Nullable Object[] binding = values(id, place, bindings.get(place));
            if (in.execute(UPDATE_BINDING, binding) == 0) {
                in.execute(INSERT_BINDING, binding);
            }
        }
        in.execute("DELETE FROM bindings WHERE device_id = ? AND place >= ?", id, bindings.size());
    }

    private static @Nullable Object[] values(Device device) {
        Optional<PushTarget> target = device.target();
        return new @Nullable Object[] {
            device.aor().user(),
            device.aor().host(),
            device.identity(),
            target.map(t -> t.environment().name()).orElse(null),
            target.map(PushTarget::teamId).orElse(null),
            target.map(PushTarget::bundleId).orElse(null),
            target.flatMap(PushTarget::voip).map(PushToken::hex).orElse(null),
            target.flatMap(PushTarget::regular).map(PushToken::hex).orElse(null),
            target.map(PushTarget::registeredAt)
                    .filter(at -> device.bindings().isEmpty()
                            || !at.equals(device.bindings().get(0).registeredAt()))
                    .map(EpochNanos::of)
                    .orElse(null),
            target.map(PushTarget::provider).orElse(null),
            target.map(PushTarget::param).orElse(null),
            target.map(PushTarget::prid).orElse(null),
            device.targetFault().orElse(null),
            device.id().value()
        };
    }

    static void remove(WriterConnection in, DeviceId id) throws SQLException {
        in.execute("DELETE FROM devices WHERE device_id = ?", id.value());
    }

    static void removeAll(WriterConnection in, Aor aor) throws SQLException {
        in.execute("DELETE FROM devices WHERE aor_user = ? AND aor_host = ?", aor.user(), aor.host());
    }

    private static Optional<PushTarget> target(ResultSet row) throws SQLException {
        String environment = row.getString(6);
        if (environment == null) {
            return Optional.empty();
        }
        return Optional.of(new PushTarget(
                ApnsEnvironment.valueOf(environment),
                row.getString(7),
                row.getString(8),
                Optional.ofNullable(row.getString(9)).map(PushToken::new),
                Optional.ofNullable(row.getString(10)).map(PushToken::new),
                registeredAt(row),
                row.getString(12),
                row.getString(13),
                row.getString(14)));
    }

    private static Instant registeredAt(ResultSet row) throws SQLException {
        long nanos = row.getLong(11);
        return row.wasNull() ? PushTarget.WITH_FIRST_BINDING : EpochNanos.toInstant(nanos);
    }

    private static @Nullable Object[] values(String device, int place, Binding binding) {
        return new @Nullable Object[] {
            binding.contact(),
            binding.contactParameters(),
            binding.q(),
            binding.regId().isPresent() ? (Integer) binding.regId().getAsInt() : null,
            binding.flow().transport(),
            binding.flow().local().getAddress().getHostAddress(),
            binding.flow().local().getPort(),
            binding.flow().remote().getAddress().getHostAddress(),
            binding.flow().remote().getPort(),
            binding.flow().connection(),
            binding.path().toArray(String[]::new),
            binding.callId(),
            binding.cseq(),
            EpochNanos.of(binding.registeredAt()),
            binding.expires().toNanos(),
            binding.userAgent(),
            binding.dialogEvents(),
            device,
            place
        };
    }

    private static Binding binding(ResultSet row) throws SQLException {
        int regId = row.getInt("reg_id");
        OptionalInt optionalRegId = row.wasNull() ? OptionalInt.empty() : OptionalInt.of(regId);
        List<String> path = new ArrayList<>();
        for (Object value : (Object[]) row.getArray("path").getArray()) {
            path.add((String) value);
        }
        return new Binding(
                row.getString("contact"),
                row.getString("contact_parameters"),
                row.getInt("q"),
                optionalRegId,
                new Flow(
                        row.getString("transport"),
                        address(row.getString("local_address"), row.getInt("local_port")),
                        address(row.getString("remote_address"), row.getInt("remote_port")),
                        row.getLong("connection")),
                path,
                row.getString("call_id"),
                row.getLong("cseq"),
                EpochNanos.toInstant(row.getLong("registered_at")),
                Duration.ofNanos(row.getLong("expires")),
                row.getString("user_agent"),
                row.getBoolean("dialog_events"));
    }

    /** Literal addresses only, so that nothing is asked of DNS. */
    private static InetSocketAddress address(String literal, int port) throws SQLException {
        try {
            return new InetSocketAddress(InetAddress.getByName(literal), port);
        } catch (UnknownHostException e) {
            // An IPv6 scope names a network interface, and this machine may have lost it since.
            int scope = literal.indexOf('%');
            if (scope < 0) {
                throw new SQLException("The bindings hold an address that is none: " + literal, e);
            }
            return address(literal.substring(0, scope), port);
        }
    }
}
