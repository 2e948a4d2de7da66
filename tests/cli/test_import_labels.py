"""test_import_labels -- labels out of NIEM records in XML: the CSV is what the records say, text becomes a code by the
declared table alone, and what is not plain is refused with its value and its record."""
import os

from cli_support import Case, main, read, write

DECLARED = r"""
records:
  files: "in/(S[0-9]+)-([0-9]+)\\.xml"
  each: PackageFacialAndSMTImageRecord
  columns:
    - { name: sample_id, text: "\\1-\\2-t10_\\v", at: ImageReferenceIdentification/IdentificationID }
    - { name: subject_id, at: RecordSubject/PersonFBIIdentification/IdentificationID, as: id }
    - { name: session, text: "\\2" }
    - { name: captured, at: ImageCaptureDetail/CaptureDate/Date, as: date }
    - { name: age, at: PersonAgeMeasure/MeasureIntegerValue, as: number }
    - { name: sex, at: PersonSexCode, codes: { F: female, M: male, U: unknown } }
    - { name: pose, at: FaceImage/FaceImageSubjectPose/SubjectPoseText, codes: { full face: frontal, "left, 90": profile } }
"""
RECORD = """<?xml version="1.0" encoding="UTF-8"?>
<itl:NISTBiometricInformationExchangePackage xmlns:itl="http://biometrics.nist.gov/standard/2011"
    xmlns:biom="http://niem.gov/niem/biometrics/1.0" xmlns:nc="http://niem.gov/niem/niem-core/2.0" xmlns:ebts="urn:x">
 <itl:PackageInformationRecord><biom:RecordCategoryCode>01</biom:RecordCategoryCode></itl:PackageInformationRecord>
 <itl:PackageDescriptiveTextRecord><itl:UserDefinedDescriptiveDetail><ebts:DomainDefinedDescriptiveFields>
  <ebts:RecordSubject>
   <j:PersonFBIIdentification xmlns:j="urn:j"><nc:IdentificationID>{subject}</nc:IdentificationID></j:PersonFBIIdentification>
   <nc:PersonSexCode>{sex}</nc:PersonSexCode>
   <nc:PersonAgeMeasure><nc:MeasureIntegerValue>{age}</nc:MeasureIntegerValue></nc:PersonAgeMeasure>
  </ebts:RecordSubject>
 </ebts:DomainDefinedDescriptiveFields></itl:UserDefinedDescriptiveDetail></itl:PackageDescriptiveTextRecord>
{images}</itl:NISTBiometricInformationExchangePackage>
"""
IMAGE = """ <itl:PackageFacialAndSMTImageRecord>
  <biom:ImageReferenceIdentification><nc:IdentificationID>{number}</nc:IdentificationID></biom:ImageReferenceIdentification>
  <biom:FaceImage>
   <nc:BinaryBase64Object>{pixels}</nc:BinaryBase64Object>
   <biom:ImageCaptureDetail><biom:CaptureDate><nc:Date>{date}</nc:Date></biom:CaptureDate></biom:ImageCaptureDetail>
   <biom:FaceImageSubjectPose><biom:SubjectPoseText>{pose}</biom:SubjectPoseText></biom:FaceImageSubjectPose>
  </biom:FaceImage>
 </itl:PackageFacialAndSMTImageRecord>
"""


def image(number, date="2004-03-09", pose="full\n   face", pixels="QUJD" * 3000):
    return IMAGE.format(number=number, date=date, pose=pose, pixels=pixels)


def record(subject, sex="F", age="31", images=None):
    return RECORD.format(subject=subject, sex=sex, age=age, images=images or image("01"))


class Labels(Case):
    def records(self, **files):
        write(self.folder, "r.yaml", DECLARED)
        for name, text in files.items(): write(self.folder, "in/" + name.replace("_", "-") + ".xml", text)

    def labels(self, **files):
        self.records(**files)
        return self.json("import", "labels", ".", "--records", "r.yaml", "-o", "l.csv", "--json")

    def refused(self, **files):
        self.records(**files)
        said = self.bad(2, "import", "labels", ".", "--records", "r.yaml", "-o", "l.csv")
        self.assertFalse(os.path.exists(self.path("l.csv")))
        return said

    def test_the_csv_is_what_the_records_say(self):
        made = self.labels(S001_01=record("A&amp;1", images=image("01") + image("02", "2004-03-10", " left,\t90 ")),
                           S001_02=record("A&amp;1", age="32", images=image("01", "2005-01-02T10:00:00Z")),
                           S002_01=record("B\u00e9, 2", sex=" M\n", age=""), S002_02=record("B\u00e9, 2", sex="",
                                                                                     age="40", images=" "))
        self.assertEqual((made["records"], made["samples"], made["records_without_sample"]), (4, 4, 1))
        self.assertEqual(read(self.path("l.csv")), "sample_id,subject_id,session,captured,age,sex,pose\n"
                         "S001-01-t10_01,A&1,01,2004-03-09,31,female,frontal\n"
                         "S001-01-t10_02,A&1,01,2004-03-10,31,female,profile\n"
                         "S001-02-t10_01,A&1,02,2005-01-02T10:00:00Z,32,female,frontal\n"
                         'S002-01-t10_01,"B\u00e9, 2",01,2004-03-09,,male,frontal\n')
        self.assertIn("a file is there", self.bad(2, "import", "labels", ".", "--records", "r.yaml", "-o", "l.csv"))
        write(self.folder, "t.csv", "sample,x,y\n" + "".join(
            f"{n},{k + 1},1\n" for k, n in enumerate(("S002-01-t10_01", "S001-01-t10_01", "S001-02-t10_01", "S001-01-t10_02"))))
        self.good("import", "templates", "t.csv", "--labels", "l.csv", "--release", "v", "--version", "1", "-o", "t.h5")

    def test_text_that_is_not_declared_is_refused_with_its_value_and_its_record(self):
        said = self.refused(S001_01=record("A", sex="Femal"), S002_01=record("B", images=image("01") + image("02", pose="full")))
        self.assertIn("in/S001-01.xml: record 1: sex: 'Femal' is not in the table of codes; Known: F, M, U", said)
        self.assertIn("in/S002-01.xml: record 2: pose: 'full' is not in the table of codes", said)
        for subject, sex, age, date, fault in (("A", "F", "old", "2004-03-09", "age: 'old' is no number"),
                                               ("A", "F", "1", "09/03/2004", "captured: '09/03/2004' is no time"),
                                               ("A\u202e", "F", "1", "2004-03-09", "subject_id: ")):
            self.assertIn("in/S001-01.xml: record 1: " + fault, self.refused(S001_01=record(subject, sex, age, image("01", date))))

    def test_two_values_where_one_is_meant_are_refused(self):
        two = image("01").replace("<biom:FaceImage>", "<nc:PersonSexCode>M</nc:PersonSexCode><nc:PersonSexCode>F"
                                  "</nc:PersonSexCode><biom:FaceImage>")
        self.assertIn("record 1: sex: there are two values, 'M' and 'F'", self.refused(S001_01=record("A", images=two)))

    def test_xml_that_grows_or_is_none_is_refused(self):
        bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + "b" * 99 + '"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
        self.assertIn("in/S001-01.xml:1: a document type is declared", self.refused(S001_01=bomb))
        self.assertIn("in/S001-01.xml:1: not well-formed XML", self.refused(S001_01="<a>"))
        self.assertIn("64 deep", self.refused(S001_01="<a>" * 70))
        self.assertIn("more than 4,096 bytes", self.refused(S001_01=record("A" * 5000)))
        self.assertIn("no record has an element", self.refused(S001_01="<a/>"))

    def test_faults_of_the_declaration_are_told_in_one_pass(self):
        self.records(S001_01=record("A"))
        write(self.folder, "r.yaml", """records:
  files: "("
  columns:
    - { name: sample_id, text: "\\\\v" }
    - { name: sex, at: "nc:PersonSexCode", as: code }
    - { name: sex, at: A }
""")
        said = self.bad(2, "import", "labels", ".", "--records", "r.yaml", "-o", "l.csv")
        for fault in ("r.yaml:2:10: no regular expression", "r.yaml:4:32: \\v is what `at` finds, and there is no `at`",
                      "expected names of elements without prefix", "r.yaml:5:48: unknown value 'code'; Known: id, date, number", "`at` with one of `as` and `codes`",
                      "the column 'subject_id' is missing", "the column 'sex' is there twice"):
            self.assertIn(fault, said)


main()
