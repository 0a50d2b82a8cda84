package org.pushbridge.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/**
 * The running server's side of {@code pushbridge user} and {@code pushbridge device}: a Unix domain socket that only the server's own account can
 * use. One request a connection ({@link AdminMessages}), one connection at a time, each with a deadline.
 */
final class AdminSocket implements AutoCloseable {
    /** An add with two hashes needs a few hundred. */
    private static final int LONGEST_REQUEST = 8 * 1024;

    private static final Duration DEADLINE = Duration.ofSeconds(15);
    private static final Logger LOG = LogManager.getLogger(AdminSocket.class);

    private final Path path;
    private final Users users;
    private final ServerSocketChannel server;
    private final Duration deadline;
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "admin-deadline");
        thread.setDaemon(true);
        return thread;
    });
    private final Thread thread;

    private AdminSocket(Path path, Users users, ServerSocketChannel server, Duration deadline) {
        this.path = path;
        this.users = users;
        this.server = server;
        this.deadline = deadline;
        this.thread = new Thread(this::run, "admin");
        this.thread.setDaemon(true);
    }

    /**
     * Starts to listen. A socket that a dead server left behind is replaced.
     *
     * @param users what the requests are done to; called on this socket's thread; not closed with it
     * @throws CannotStart if it cannot, or another server answers there
     */
    static AdminSocket open(Path path, Users users) {
        return open(path, users, DEADLINE);
    }

    static AdminSocket open(Path path, Users users, Duration deadline) {
        Path place = path.toAbsolutePath().normalize();
        try {
            Path folder = place.getParent();
            if (folder == null) {
                throw new CannotStart("admin.socket is " + path + ", which is no path of a file");
            }
            Files.createDirectories(folder);
            makeRoom(place);
            AdminSocket socket = new AdminSocket(place, users, listen(folder, place), deadline);
            socket.thread.start();
            return socket;
        } catch (IOException e) {
            throw new CannotStart(
                    "Cannot make the admin socket " + place + " (" + e + "); give admin.socket another path", e);
        }
    }

    private static void makeRoom(Path place) throws IOException {
        if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            SocketChannel.open(UnixDomainSocketAddress.of(place)).close();
            throw new CannotStart("Another Pushbridge answers on the admin socket " + place
                    + "; stop it, or give this one its own admin.socket and database");
        } catch (IOException e) {
            if (Files.isRegularFile(place) || Files.isDirectory(place)) {
                throw new CannotStart(
                        "admin.socket is " + place
                                + ", but a file or folder of that name is in its place; choose another",
                        e);
            }
            LOG.debug("Replacing the admin socket={} that a server left behind", place);
        }
    }

    /** The socket is made out of others' reach and moved to its place when its permissions are set. */
    private static ServerSocketChannel listen(Path folder, Path place) throws IOException {
        Path hidden = Files.createTempDirectory(folder, "");
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            Path made = hidden.resolve("s");
            server.bind(UnixDomainSocketAddress.of(made));
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-------"));
            Files.move(made, place, StandardCopyOption.ATOMIC_MOVE);
            return server;
        } catch (IOException e) {
            server.close();
            throw e;
        } finally {
            Files.deleteIfExists(hidden.resolve("s"));
            Files.deleteIfExists(hidden);
        }
    }

    private void run() {
        while (true) {
            try {
                serve(server.accept());
            } catch (ClosedChannelException e) {
                return;
            } catch (IOException | RuntimeException e) {
                LOG.warn("A request on the admin socket failed", e);
            }
        }
    }

    private void serve(SocketChannel client) throws IOException {
        ScheduledFuture<?> end = watch.schedule(
                () -> {
                    client.close();
                    return null;
                },
                deadline.toMillis(),
                TimeUnit.MILLISECONDS);
        try {
            answer(client);
        } catch (IOException e) {
            LOG.debug("A client of the admin socket left: {}", e.toString());
        } finally {
            end.cancel(false);
            client.close();
        }
    }

    private void answer(SocketChannel client) throws IOException {
        BufferedReader in =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(client), StandardCharsets.UTF_8));
        StringBuilder request = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n' && request.length() <= LONGEST_REQUEST; c = in.read()) {
            request.append((char) c);
        }
        if (request.isEmpty()) {
            return; // Another server that looked whether this one lives.
        }
        String answer = request.length() > LONGEST_REQUEST
                ? AdminMessages.answer("", users)
                : AdminMessages.answer(request.toString(), users);
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(answer + "\n");
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        watch.shutdownNow();
        server.close();
        Files.deleteIfExists(path);
    }
}
