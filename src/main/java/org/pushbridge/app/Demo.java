package org.pushbridge.app;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pushbridge.app.demo.DemoBridge;
import org.pushbridge.app.demo.Scenario;
import org.pushbridge.app.demo.Scenarios;
import org.pushbridge.config.Config;
import org.pushbridge.device.Aor;

/** The scenarios of {@code pushbridge demo}, played with the real server. */
final class Demo {
    private Demo() {}

    static List<Scenario> scenarios() {
        return Scenarios.all(bridge());
    }

    static DemoBridge bridge() {
        return new RealBridge();
    }

    private static final class RealBridge implements DemoBridge {
        @Override
        public Running start(Config config) {
            Server server = Server.start(config);
            return server::close;
        }

        @Override
        public void addUser(Config config, String address, String password) {
            try (Users users = Server.users(config)) {
                users.add(Server.withPassword(Aor.parse(address), password.toCharArray()), false);
            }
        }

        private static Stream<DeviceStatus> devices(Config config, Optional<Aor> aor) {
            return AdminClient.find(config.admin().socket()).stream().flatMap(server -> server.devices(aor).stream());
        }

        @Override
        public long connectedDevices(Config config, String address) {
            return devices(config, Optional.of(Aor.parse(address)))
                    .filter(device -> device.state() == DeviceStatus.State.AWAKE)
                    .count();
        }

        @Override
        public String deviceNotes(Config config) {
            return devices(config, Optional.empty())
                    .map(DeviceCommand.ListDevices::note)
                    .collect(Collectors.joining("; "));
        }
    }
}
