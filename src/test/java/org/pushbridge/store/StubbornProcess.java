package org.pushbridge.store;

import static org.pushbridge.store.Samples.entry;

import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionException;

/**
 * A process that writes one call after the other to the store on the URL it is given, whatever becomes of them. It prints
 * {@code ack} or {@code failed} and the call. It runs until it is killed.
 */
final class StubbornProcess {
    private StubbornProcess() {}

    public static void main(String[] arguments) {
        Store store =
                Store.open(StoreSettings.of(arguments[0], "pushbridge", "").with(Duration.ofMillis(300)));
        while (true) {
            UUID call = UUID.randomUUID();
            try {
                store.write(entry(call, "parked"), List.of())
                        .toCompletableFuture()
                        .join();
                System.out.println("ack " + call);
            } catch (CompletionException e) {
                System.out.println("failed " + call);
            }
        }
    }
}
