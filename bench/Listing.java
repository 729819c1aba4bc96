import java.io.File;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.Credentials;
import org.apache.hadoop.tools.CopyListing;
import org.apache.hadoop.tools.DistCpConstants;
import org.apache.hadoop.tools.DistCpContext;
import org.apache.hadoop.tools.DistCpOptions;

/**
 * Listing SOURCE DESTINATION LIST-FILE THREADS
 *
 * The part of DistCp that comes before the first byte: its listing of the source, sorted and checked, written to a
 * local file. Prints how many paths it holds and how long it took.
 */
public final class Listing {
  public static void main(String[] args) throws Exception {
    Configuration configuration = new Configuration();
    DistCpOptions options = new DistCpOptions.Builder(List.of(new Path(args[0])), new Path(args[1]))
        .withNumListstatusThreads(Integer.parseInt(args[3]))
        .build();
    DistCpContext context = new DistCpContext(options);
    context.setTargetPathExists(false);
    long begun = System.nanoTime();
    CopyListing listing = CopyListing.getCopyListing(configuration, new Credentials(), context);
    listing.buildListing(new Path(new File(args[2]).toURI()), context);
    double seconds = (System.nanoTime() - begun) / 1e9;
    long paths = configuration.getLong(DistCpConstants.CONF_LABEL_TOTAL_NUMBER_OF_RECORDS, -1);
    System.out.printf("{\"paths\": %d, \"seconds\": %.3f}%n", paths, seconds);
  }
}
