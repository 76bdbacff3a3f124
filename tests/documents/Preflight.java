// Runs Apache PDFBox Preflight over files: a line "name valid", or "name INVALID" with each finding. For test_preflight.py.
import java.io.File;
import org.apache.pdfbox.preflight.PreflightDocument;
import org.apache.pdfbox.preflight.ValidationResult;
import org.apache.pdfbox.preflight.exception.SyntaxValidationException;
import org.apache.pdfbox.preflight.parser.PreflightParser;

public class Preflight {
    public static void main(String[] names) throws Exception {
        for (String name : names) {
            ValidationResult result = check(new File(name));
            System.out.println(new File(name).getName() + (result.isValid() ? " valid" : " INVALID"));
            for (ValidationResult.ValidationError error : result.getErrorsList()) {
                System.out.println("  " + error.getErrorCode() + " " + error.getDetails());
            }
        }
    }

    static ValidationResult check(File file) throws Exception {
        PreflightParser parser = new PreflightParser(file);
        try {
            parser.parse();
            try (PreflightDocument document = parser.getPreflightDocument()) {
                document.validate();
                return document.getResult();
            }
        } catch (SyntaxValidationException failed) {
            return failed.getResult();
        }
    }
}
