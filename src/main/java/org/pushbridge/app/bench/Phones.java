package org.pushbridge.app.bench;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/** Users that are registered from one UDP address, where SIPp answers each call. */
final class Phones implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Sipp answering;

    private Phones(Sipp answering) {
        this.answering = answering;
    }

    /** Writes the list of users for SIPp's -inf: name, credentials, device token, instance. */
    static Path list(Path folder, String name, int from, int count) throws IOException {
        StringBuilder list = new StringBuilder("SEQUENTIAL\n");
        for (int user = from; user < from + count; user++) {
            String who = "user" + user;
            list.append(who + ";[authentication username=" + who + " password=" + ServedProcess.PASSWORD + "];"
                    + String.format(Locale.ROOT, "%064x", 0xbe4c0000L + user) + ";"
                    + UUID.nameUUIDFromBytes(who.getBytes(StandardCharsets.UTF_8)) + "\n");
        }
        return Files.writeString(folder.resolve(name), list);
    }

    static int freePort(String ip) throws IOException {
        try (DatagramSocket free = new DatagramSocket(new InetSocketAddress(ip(ip), 0))) {
            return free.getLocalPort();
        }
    }

    private static InetAddress ip(String text) throws IOException {
        return InetAddress.getByAddress(NetUtil.createByteArrayFromIpAddressString(text));
    }

    /** Registers them for an hour and begins to answer. */
    static Phones awake(ServedProcess server, Path folder, Path users, int count)
            throws IOException, InterruptedException {
        int port = freePort(ServedProcess.PHONES);
        register(server, folder, users, count, port);
        return new Phones(Sipp.start(
                folder,
                "phones-answer",
                List.of("-i", ServedProcess.PHONES, "-p", Integer.toString(port), "-t", "u1")));
    }

    /** Registers all users of a list from one port. */
    static void register(ServedProcess server, Path folder, Path users, int count, int port)
            throws IOException, InterruptedException {
        try (Sipp registering = Sipp.start(
                folder,
                "phones-register",
                List.of(
                        server.address(),
                        "-i",
                        ServedProcess.PHONES,
                        "-p",
                        Integer.toString(port),
                        "-t",
                        "u1",
                        "-inf",
                        users.toString(),
                        "-auth_uri",
                        "example.com",
                        "-r",
                        "50",
                        "-m",
                        Integer.toString(count)))) {
            registering.await(PATIENCE);
            String done = registering.statistics().getOrDefault("SuccessfulCall(C)", "0");
            if (!done.equals(Integer.toString(count))) {
                throw new BenchFailed(done + " of " + count + " phones could register. SIPp's last words: "
                        + registering.lastWords());
            }
        }
    }

    boolean isAlive() {
        return answering.isAlive();
    }

    Duration cpu() {
        return answering.cpu();
    }

    @Override
    public void close() {
        answering.close();
    }
}
