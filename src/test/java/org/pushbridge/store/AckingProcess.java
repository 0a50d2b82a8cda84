package org.pushbridge.store;

import static org.pushbridge.store.Samples.ALICE;
import static org.pushbridge.store.Samples.device;

import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Semaphore;

/**
 * A process that uses the store on the URL it is given. It prints {@code open}; then, if it is told {@code write}, it
 * saves one device after the other, named by the third argument and a number, as many at a time as a busy bridge does, and prints {@code ack 000000},
 * {@code ack 000001} and so on as they are acknowledged. It runs until it is killed.
 */
final class AckingProcess {
    private AckingProcess() {}

    public static void main(String[] arguments) throws InterruptedException, IOException {
        Store store = Store.open(StoreSettings.of(arguments[0], "pushbridge", ""));
        System.out.println("open");
        if (arguments[1].equals("write")) {
            Semaphore underWay = new Semaphore(20);
            for (int i = 0; ; i++) {
                int number = i;
                underWay.acquire();
                store.saveDevice(device(ALICE, arguments[2] + number)).thenRun(() -> {
                    System.out.println(ack(number));
                    underWay.release();
                });
            }
        }
        System.in.read();
    }

    static String ack(int number) {
        return String.format(Locale.ROOT, "ack %06d", number);
    }
}
