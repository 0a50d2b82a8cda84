package org.pushbridge.app;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.pushbridge.device.Aor;
import org.pushbridge.device.User;

/** The users of a running server, over its {@link AdminSocket}. For one thread. */
final class AdminClient implements Users {
    private final Path path;

    private AdminClient(Path path) {
        this.path = path;
    }

    /**
     * Looks whether a server listens.
     *
     * @return empty if none does
     * @throws CommandFailed if one may, but this account may not speak to it
     */
    static Optional<AdminClient> find(Path path) {
        Path place = path.toAbsolutePath().normalize();
        if (!Files.exists(place)) {
            return Optional.empty();
        }
        try {
            SocketChannel.open(UnixDomainSocketAddress.of(place)).close();
            return Optional.of(new AdminClient(place));
        } catch (ConnectException e) {
            // A server that is gone left it behind.
            return Optional.empty();
        } catch (IOException e) {
            throw new CommandFailed(
                    "Cannot use the server's admin socket " + place + " (" + e.getMessage()
                            + "); run this as the account that the server runs as",
                    e);
        }
    }

    @Override
    public List<Listed> list() {
        return AdminMessages.users(ask(AdminMessages.list()));
    }

    @Override
    public boolean add(User user, boolean replace) {
        return ask(AdminMessages.add(user, replace)).path("done").asBoolean();
    }

    @Override
    public boolean remove(Aor aor) {
        return ask(AdminMessages.remove(aor)).path("done").asBoolean();
    }

    @Override
    public List<DeviceStatus> devices(Optional<Aor> of) {
        return AdminMessages.devices(ask(AdminMessages.askForDevices(of)));
    }

    private JsonNode ask(String request) {
        try (SocketChannel server = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(request + "\n");
            while (bytes.hasRemaining()) {
                server.write(bytes);
            }
            String answer = new BufferedReader(
                            new InputStreamReader(Channels.newInputStream(server), StandardCharsets.UTF_8))
                    .readLine();
            if (answer == null) {
                throw new CommandFailed("The server closed the admin socket " + path
                        + " without an answer; its log may say why, and trying again does no harm");
            }
            return AdminMessages.read(answer);
        } catch (IOException e) {
            throw new CommandFailed("The server did not answer on the admin socket " + path + " (" + e + ")", e);
        }
    }

    /** Nothing is held between requests. */
    @Override
    public void close() {}
}
