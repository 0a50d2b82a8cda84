package org.pushbridge.web;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/** Requests as they are, over a connection of their own. One char is one byte. */
final class RawHttp {
    private RawHttp() {}

    interface Opening {
        Socket open() throws IOException;
    }

    /**
     * What comes back until the other side closes, which it does at the latest when no more can come.
     *
     * @throws AssertionError if it does not
     */
    static String exchange(Opening opening, String request) throws IOException {
        StringBuilder heard = new StringBuilder();
        try (Socket socket = opening.open()) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            byte[] some = new byte[4096];
            for (int count = socket.getInputStream().read(some);
                    count >= 0;
                    count = socket.getInputStream().read(some)) {
                heard.append(new String(some, 0, count, StandardCharsets.ISO_8859_1));
            }
        } catch (SocketTimeoutException e) {
            throw new AssertionError("Neither answered nor closed, but: " + heard, e);
        } catch (IOException reset) {
            // It did not read all that was sent, and closed.
        }
        return heard.toString();
    }
}
