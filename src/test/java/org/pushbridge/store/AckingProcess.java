package org.pushbridge.store;

import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.SOME_TIME;
import static org.pushbridge.store.Samples.device;
import static org.pushbridge.store.Samples.entry;
import static org.pushbridge.store.Samples.tombstone;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import org.pushbridge.device.DeviceId;
import org.pushbridge.device.Tombstone;
import org.pushbridge.store.StoreSettings.Durability;

/**
 * A process that uses the store on the URL it is given, with the durability that the fourth argument names. It prints {@code open}; then, if it is told {@code devices}
 * or {@code calls}, it writes one after the other, named by the third argument and a number, as many at a time as a busy
 * bridge does, and prints {@code ack} and the number, six digits, as each is acknowledged. It runs until it is killed.
 *
 * <p>Every call is begun and then answered. Of every three, one goes on, one goes on with a tombstone, and one ends.
 */
final class AckingProcess {
    private AckingProcess() {}

    public static void main(String[] arguments) throws InterruptedException, IOException {
        Store store =
                Store.open(StoreSettings.of(arguments[0], "pushbridge", "").with(Durability.valueOf(arguments[3])));
        System.out.println("open");
        if (arguments[1].equals("hold")) {
            System.in.read();
            return;
        }
        Semaphore underWay = new Semaphore(20);
        for (int i = 0; ; i++) {
            int number = i;
            String name = arguments[2] + number;
            underWay.acquire();
            (arguments[1].equals("calls") ? writeCall(store, name, number) : store.saveDevice(device(ALICE, name)))
                    .thenRun(() -> {
                        System.out.println(String.format(Locale.ROOT, "ack %06d", number));
                        underWay.release();
                    });
        }
    }

    private static CompletionStage<Void> writeCall(Store store, String name, int number) {
        UUID call = call(name);
        List<Tombstone> buried =
                number % 3 == 1 ? List.of(tombstone(call, SOME_TIME, DeviceId.of(ALICE, name))) : List.of();
        return store.write(entry(call, "parked"), List.of())
                .thenCompose(begun -> store.write(entry(call, "answered"), buried))
                .thenCompose(answered -> number % 3 == 2 ? store.end(call) : CompletableFuture.completedStage(null));
    }

    static UUID call(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
    }

    /** The number in a line the process printed; empty for any other line, such as one cut by its death. */
    static Optional<Integer> acknowledged(String line) {
        return line.matches("ack [0-9]{6}") ? Optional.of(Integer.valueOf(line.substring(4))) : Optional.empty();
    }
}
