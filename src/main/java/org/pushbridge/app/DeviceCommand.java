package org.pushbridge.app;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pushbridge device ...}: which devices there are, and whether a call would reach them. */
@Command(
        name = "device",
        header = "Tells which devices users have, and whether they can be called.",
        description = {
            "",
            "Asks the running server (through its admin socket), or looks into the database while none runs. Give it the"
                    + " same -c as the server.",
            ""
        },
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class DeviceCommand implements Runnable {
    @Spec
    CommandSpec spec = CommandSpec.create();

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: device list or device show.");
    }

    /** {@code device list}. */
    @Command(
            name = "list",
            header = "Lists the devices of a user, or of all.",
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class,
            footer = {
                "",
                "An awake device has a registration whose connection stands. One that is asleep can be woken by push. An"
                        + " unreachable one can only come back by itself; 'device show' tells why."
            })
    static final class ListDevices implements Callable<Integer> {
        private final Function<Config, Users> open;
        private final InstantSource clock;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Mixin
        ConfigOption config = new ConfigOption();

        @Parameters(
                paramLabel = "ADDRESS",
                arity = "0..1",
                description = "alice@example.com, or alice for the first domain.")
        Optional<String> address = Optional.empty();

        @Option(names = "--json", description = "Print a JSON array.")
        boolean json;

        ListDevices(Function<Config, Users> open, InstantSource clock) {
            this.open = open;
            this.clock = clock;
        }

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            Config settings = config.load();
            Optional<Aor> of = address.map(text -> UserCommand.read(text, settings, spec));
            List<DeviceStatus> devices;
            try (Users users = UserCommand.opened(open, settings)) {
                devices = users.devices(of);
                of.filter(aor -> users.list().stream()
                                .noneMatch(user -> user.aor().equals(aor)))
                        .ifPresent(aor -> {
                            throw UserCommand.noSuchUser(aor);
                        });
            }
            if (json) {
                out.println(AdminMessages.writtenDevices(devices).toPrettyString());
            } else if (devices.isEmpty()) {
                out.println("There are no devices; a phone makes itself known when it registers.");
            } else {
                table(devices, out);
            }
            return Main.OK;
        }

        private void table(List<DeviceStatus> devices, PrintWriter out) {
            int users = width("USER", devices.stream().map(d -> d.aor().toString()));
            int apps = width("APP", devices.stream().map(d -> d.app().orElse("-")));
            String row = "%-16s  %-" + users + "s  %-" + apps + "s  %-11s  %-12s  %-10s  %s%n";
            out.printf(row, "DEVICE", "USER", "APP", "STATE", "TOKENS", "REGISTERED", "NOTE");
            Instant now = clock.instant();
            for (DeviceStatus device : devices) {
                String registered =
                        device.registration().map(r -> age(r.at(), now)).orElse("-");
                out.printf(
                        row,
                        device.id(),
                        device.aor(),
                        device.app().orElse("-"),
                        device.state().word(),
                        tokens(device),
                        registered,
                        note(device));
            }
        }

        private static int width(String title, java.util.stream.Stream<String> texts) {
            return Math.max(title.length(), texts.mapToInt(String::length).max().orElse(0));
        }

        static String note(DeviceStatus device) {
            String fault = device.fault().map(f -> "not wakeable: " + f).orElse("");
            return device.budget()
                    .flatMap(budget -> budget.pausedUntil())
                    .map(until -> "no VoIP pushes until " + until.truncatedTo(ChronoUnit.SECONDS)
                            + (fault.isEmpty() ? "" : "; " + fault))
                    .orElse(fault);
        }
    }

    /** {@code device show}. */
    @Command(
            name = "show",
            header = "Tells all about one device, but for its tokens.",
            mixinStandardHelpOptions = true,
            versionProvider = Main.Version.class)
    static final class Show implements Callable<Integer> {
        private final Function<Config, Users> open;
        private final InstantSource clock;

        @Spec
        CommandSpec spec = CommandSpec.create();

        @Mixin
        ConfigOption config = new ConfigOption();

        @Parameters(paramLabel = "DEVICE", description = "The device's id, as 'device list' and the log show it.")
        String id = "";

        @Option(names = "--json", description = "Print a JSON object.")
        boolean json;

        Show(Function<Config, Users> open, InstantSource clock) {
            this.open = open;
            this.clock = clock;
        }

        @Override
        public Integer call() {
            if (!id.matches("[0-9a-f]{16}")) {
                throw new ParameterException(
                        spec.commandLine(),
                        "'" + id
                                + "' is not the id of a device, which has 16 hexadecimal digits; 'pushbridge device list'"
                                + " shows them.");
            }
            PrintWriter out = spec.commandLine().getOut();
            DeviceStatus device;
            try (Users users = UserCommand.opened(open, config.load())) {
                device = users.devices(Optional.empty()).stream()
                        .filter(d -> d.id().value().equals(id))
                        .findFirst()
                        .orElseThrow(() -> new CommandFailed(
                                "There is no device " + id + "; 'pushbridge device list' names them."));
            }
            if (json) {
                out.println(AdminMessages.written(device).toPrettyString());
            } else {
                tell(device, out);
            }
            return Main.OK;
        }

        private void tell(DeviceStatus device, PrintWriter out) {
            Instant now = clock.instant();
            line(out, "Device", device.id().value());
            line(out, "User", device.aor().toString());
            line(out, "State", device.state().word());
            line(out, "App", device.app().orElse("none that can be woken"));
            device.environment().ifPresent(environment -> line(out, "Environment", environment));
            line(out, "Tokens", tokens(device));
            device.fault().ifPresent(fault -> line(out, "Not wakeable", fault));
            device.registration()
                    .ifPresentOrElse(
                            registration -> {
                                line(
                                        out,
                                        "Registered",
                                        age(registration.at(), now) + " ago, for another "
                                                + age(now, registration.until()));
                                line(
                                        out,
                                        "Over",
                                        registration.flow() + (registration.connected() ? "" : ", which is closed"));
                                line(
                                        out,
                                        "User agent",
                                        registration.userAgent().isEmpty() ? "unknown" : registration.userAgent());
                            },
                            () -> line(out, "Registered", "no"));
            device.budget().ifPresent(budget -> {
                line(out, "Wasted pushes", budget.wasted() + " in a row");
                budget.pausedUntil()
                        .ifPresent(until -> line(
                                out,
                                "VoIP pushes",
                                "none until " + until.truncatedTo(ChronoUnit.SECONDS) + ", as it did not register after"
                                        + " the last ones"));
            });
        }

        private static void line(PrintWriter out, String name, String value) {
            out.printf("%-14s %s%n", name + ":", value);
        }
    }

    private static String tokens(DeviceStatus device) {
        if (device.voipToken()) {
            return device.regularToken() ? "VoIP+regular" : "VoIP";
        }
        return device.regularToken() ? "regular" : "none";
    }

    /** In the largest unit that fits: {@code 3d}, {@code 5h}, {@code 12m}, {@code 40s}. */
    private static String age(Instant from, Instant to) {
        long seconds = Math.max(0, Duration.between(from, to).toSeconds());
        if (seconds >= 86_400) {
            return seconds / 86_400 + "d";
        }
        if (seconds >= 3600) {
            return seconds / 3600 + "h";
        }
        return seconds >= 60 ? seconds / 60 + "m" : seconds + "s";
    }
}
