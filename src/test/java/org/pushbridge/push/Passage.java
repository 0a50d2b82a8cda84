package org.pushbridge.push;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A way through to a port on this machine that is shut at first: connections are taken, or turned away, and nothing passes. */
final class Passage implements AutoCloseable {
    private final ServerSocket entrance;
    private final int exit;
    private final CountDownLatch called = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);
    private final AtomicInteger turnedAway = new AtomicInteger();
    private volatile boolean turningAway;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    Passage(int exit) throws IOException {
        this.exit = exit;
        this.entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    int port() {
        return entrance.getLocalPort();
    }

    /** Waits until there is a connection. */
    void awaitCaller() throws InterruptedException {
        called.await();
    }

    /** From now on connections are closed as soon as they are there, until it is opened. */
    void turnAway() {
        turningAway = true;
    }

    /** How many connections were closed so. */
    int turnedAway() {
        return turnedAway.get();
    }

    void open() {
        turningAway = false;
        opened.countDown();
    }

    private void accept() throws IOException, InterruptedException {
        while (!entrance.isClosed()) {
            Socket here = entrance.accept();
            sockets.add(here);
            called.countDown();
            if (turningAway) {
                here.close();
                turnedAway.incrementAndGet();
                continue;
            }
            opened.await();
            Socket there = new Socket(InetAddress.getLoopbackAddress(), exit);
            sockets.add(there);
            start(() -> pass(here, there));
            start(() -> pass(there, here));
        }
    }

    private static void pass(Socket from, Socket to) throws IOException {
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            in.transferTo(out);
        }
    }

    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One side went away, which ends this direction.
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "passage");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            entrance.close();
            for (Socket socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException("The passage on port " + port() + " could not be closed", e);
        }
    }
}
