package org.pushbridge.sip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** A phone or PBX reduced to its socket: sends what the test wrote and hands over what comes, as text. */
final class Party implements AutoCloseable {
    private static final int PATIENCE_MS = 10_000;
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final String PASSWORD = "secret";

    private final String user;
    private final Line line;
    private final Set<String> seen = new HashSet<>();
    /** What its Contact URI has from now on, such as {@code ;ob}. */
    String contactParameters = "";

    Party(String user, DatagramSocket socket, InetSocketAddress bridge) {
        this(user, new Datagrams(socket, bridge));
    }

    private Party(String user, Line line) {
        this.user = user;
        this.line = line;
    }

    static Party overTcp(String user, InetSocketAddress bridge) {
        return overTcp(user, bridge, bridge.getAddress());
    }

    /** @param from the address to connect from */
    static Party overTcp(String user, InetSocketAddress bridge, InetAddress from) {
        try {
            return new Party(user, new Connection(new Socket(bridge.getAddress(), bridge.getPort(), from, 0)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What its messages travel on. */
    private interface Line extends Closeable {
        String protocol();

        String hostPort();

        void send(byte[] message) throws IOException;

        byte[] receive(int patienceMs) throws IOException;
    }

    private record Datagrams(DatagramSocket socket, InetSocketAddress bridge) implements Line {
        @Override
        public String protocol() {
            return "UDP";
        }

        @Override
        public String hostPort() {
            return Party.hostPort(socket.getLocalAddress(), socket.getLocalPort());
        }

        @Override
        public void send(byte[] message) throws IOException {
            socket.send(new DatagramPacket(message, message.length, bridge));
        }

        @Override
        public byte[] receive(int patienceMs) throws IOException {
            socket.setSoTimeout(patienceMs);
            DatagramPacket packet = new DatagramPacket(new byte[65_535], 65_535);
            socket.receive(packet);
            return Arrays.copyOf(packet.getData(), packet.getLength());
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    private record Connection(Socket socket) implements Line {
        @Override
        public String protocol() {
            return "TCP";
        }

        @Override
        public String hostPort() {
            return Party.hostPort(socket.getLocalAddress(), socket.getLocalPort());
        }

        @Override
        public void send(byte[] message) throws IOException {
            socket.getOutputStream().write(message);
        }

        @Override
        public byte[] receive(int patienceMs) throws IOException {
            socket.setSoTimeout(patienceMs);
            InputStream in = socket.getInputStream();
            StringBuilder message = new StringBuilder();
            while (message.indexOf("\r\n\r\n") < 0) {
                int next = in.read();
                if (next < 0) {
                    throw new EOFException("closed after: " + message);
                }
                message.append((char) next);
            }
            int length = Integer.parseInt(Wire.header(message.toString(), "Content-Length"));
            message.append(new String(in.readNBytes(length), StandardCharsets.ISO_8859_1));
            return message.toString().getBytes(StandardCharsets.ISO_8859_1);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static String hostPort(InetAddress address, int port) {
        String host = address.getHostAddress();
        return (address instanceof Inet6Address ? "[" + host + "]" : host) + ":" + port;
    }

    static int next() {
        return NUMBER.incrementAndGet();
    }

    String hostPort() {
        return line.hostPort();
    }

    String contact() {
        return "Contact: <sip:" + user + "@" + hostPort() + contactParameters + ">";
    }

    String via() {
        return "Via: SIP/2.0/" + line.protocol() + " " + hostPort() + ";branch=z9hG4bKtest" + next() + ";rport";
    }

    String send(String message) {
        try {
            line.send(message.getBytes(StandardCharsets.ISO_8859_1));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return message;
    }

    private String next(String awaited) {
        try {
            return new String(line.receive(PATIENCE_MS), StandardCharsets.ISO_8859_1);
        } catch (SocketTimeoutException e) {
            throw new AssertionError(user + " waited in vain for " + awaited, e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next message that is neither a retransmission nor a 100; it must begin so. */
    String expect(String beginning) {
        String message = next(beginning);
        while (message.startsWith("SIP/2.0 100 ") || !seen.add(message)) {
            message = next(beginning);
        }
        assertThat(message).as("what %s received", user).startsWith(beginning);
        return message;
    }

    /** The next message that is no provisional response either: an edge that starts anew says those again. */
    String expectAfterProvisionals(String beginning) {
        String message = next(beginning);
        while (message.startsWith("SIP/2.0 1") || !seen.add(message)) {
            message = next(beginning);
        }
        assertThat(message).as("what %s received", user).startsWith(beginning);
        return message;
    }

    /** The next message, if one comes within half a second. */
    Optional<String> listen() {
        try {
            return Optional.of(new String(line.receive(500), StandardCharsets.ISO_8859_1));
        } catch (SocketTimeoutException silence) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next message is a 100. */
    void expectTrying() {
        assertThat(next("SIP/2.0 100")).startsWith("SIP/2.0 100 ");
    }

    /** The next message is one that came before. */
    void expectAgain(String message) {
        assertThat(next(message)).isEqualTo(message);
    }

    /** Sends this again and again, as whoever waits for its ACK does, until this one comes again. */
    void repeatUntilAcknowledgedAgain(String answer, String ack) {
        await().until(() -> {
            send(answer);
            return listen().filter(ack::equals).isPresent();
        });
    }

    // --- requests outside a dialog -------------------------------------------------------------------------------

    /** A request with the headers every request has. */
    String request(String method, String uri, String body, String... more) {
        List<String> headers = new ArrayList<>(List.of(via(), "Max-Forwards: 70"));
        headers.add("From: \"Some One\" <sip:" + user + "@example.com>;tag=from" + next());
        headers.add("To: <sip:alice@example.com>");
        headers.add("Call-ID: call" + next() + "@test");
        headers.add("CSeq: 5 " + method);
        headers.add(contact());
        headers.addAll(List.of(more));
        return Wire.message(method + " " + uri + " SIP/2.0", headers, body);
    }

    String invite(String uri, String... more) {
        return request("INVITE", uri, "", more);
    }

    /** The same request with credentials, as the transaction after the challenge. */
    String withCredentials(String request, String challenged, String password) {
        String method = request.substring(0, request.indexOf(' '));
        boolean proxy = challenged.startsWith("SIP/2.0 407");
        String credentials = Wire.credentials(
                Wire.headers(challenged, proxy ? "Proxy-Authenticate" : "WWW-Authenticate"),
                user,
                password,
                method,
                Wire.firstLine(request).split(" ", -1)[1]);
        return request.replaceFirst("Via: .*", via())
                .replace("CSeq: 5 ", "CSeq: 6 ")
                .replace(
                        "\r\nMax-Forwards",
                        "\r\n" + (proxy ? "Proxy-Authorization: " : "Authorization: ") + credentials
                                + "\r\nMax-Forwards");
    }

    void register(String contactParameters) {
        String register = request("REGISTER", "sip:example.com", "", "Expires: 3600")
                .replace("To: <sip:alice@", "To: <sip:" + user + "@")
                .replace(contact(), "Contact: <sip:" + user + "@" + hostPort() + contactParameters + ">");
        send(register);
        send(withCredentials(register, expect("SIP/2.0 401"), PASSWORD));
        expect("SIP/2.0 200");
    }

    /** Sends an INVITE as a user that has to prove it, and acknowledges the challenge. */
    String inviteWithCredentials(String uri, String... more) {
        String invite = send(invite(uri, more));
        String challenge = expect("SIP/2.0 407");
        acknowledgeFailure(invite, challenge);
        return send(withCredentials(invite, challenge, PASSWORD));
    }

    /** The ACK to a failure (RFC 3261 section 17.1.1.3): the INVITE's branch, the response's To. */
    void acknowledgeFailure(String invite, String response) {
        send(Wire.message(
                Wire.firstLine(invite).replaceFirst("INVITE", "ACK"),
                List.of(
                        "Via: " + Wire.header(invite, "Via"),
                        "Max-Forwards: 70",
                        "From: " + Wire.header(invite, "From"),
                        "To: " + Wire.header(response, "To"),
                        "Call-ID: " + Wire.header(invite, "Call-ID"),
                        "CSeq: " + Wire.cseq(invite) + " ACK"),
                ""));
    }

    void cancel(String invite) {
        send(Wire.message(
                Wire.firstLine(invite).replaceFirst("INVITE", "CANCEL"),
                List.of(
                        "Via: " + Wire.header(invite, "Via"),
                        "Max-Forwards: 70",
                        "From: " + Wire.header(invite, "From"),
                        "To: " + Wire.header(invite, "To"),
                        "Call-ID: " + Wire.header(invite, "Call-ID"),
                        "CSeq: " + Wire.cseq(invite) + " CANCEL"),
                ""));
    }

    /** Sends a response as a user agent makes it from the request's text. */
    String answer(String request, int status, String body, String... more) {
        List<String> headers = new ArrayList<>();
        Wire.headers(request, "Via").forEach(via -> headers.add("Via: " + via));
        headers.add("From: " + Wire.header(request, "From"));
        String to = Wire.header(request, "To");
        headers.add("To: " + (to.contains(";tag=") ? to : to + ";tag=" + user));
        headers.add("Call-ID: " + Wire.header(request, "Call-ID"));
        headers.add("CSeq: " + Wire.header(request, "CSeq"));
        headers.add(contact());
        headers.addAll(List.of(more));
        return send(Wire.message("SIP/2.0 " + status + " Whatever", headers, body));
    }

    @Override
    public void close() {
        try {
            line.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
