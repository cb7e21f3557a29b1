using System.Globalization;
using System.Reflection;
using System.Text;
using BackupEngine.Compression;
using BackupEngine.Format;
using BackupEngine.Hashing;
using BackupEngine.Packing;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>The numbers in docs/format.md are those of the code, and none is left out.</summary>
public sealed class FormatDocumentTests
{
    private static readonly string _document = Documents.Read("docs/format.md");

    /// <summary>Every constant of the format by its name without the namespace, such as <c>PackFormat.Header.Version</c>.</summary>
    private static readonly Dictionary<string, long> _constants = typeof(FormatVersion).Assembly.GetTypes()
        .Where(type => type.Namespace == typeof(FormatVersion).Namespace)
        .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
        .Where(field => field.IsLiteral)
        .ToDictionary(
            field => $"{field.DeclaringType!.FullName![(typeof(FormatVersion).Namespace!.Length + 1)..].Replace('+', '.')}.{field.Name}",
            field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));

    /// <summary>What the document says of each constant: its value in the table of constants, its offset in the tables of fields.</summary>
    private static readonly Dictionary<string, long> _documented = Documents.TableRows(_document)
        .Select(row => row.Length == 4 ? (Name: row[3], Value: row[0]) : (Name: row[0], Value: row[1]))
        .Where(row => _constants.ContainsKey(row.Name))
        .ToDictionary(row => row.Name, row => Number(row.Value));

    [Fact]
    public void Every_constant_of_the_format_is_in_the_document() =>
        Assert.Empty(_constants.Keys.Except(_documented.Keys));

    [Fact]
    public void Every_constant_in_the_document_has_the_value_of_the_code() =>
        Assert.Equal(_documented.Keys.Order().Select(name => (name, _constants[name])), _documented.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));

    [Fact]
    public void Every_name_of_a_constant_in_the_document_is_in_the_code()
    {
        string[] magics = ["PackFormat.Magic", "ManifestFormat.Magic"];
        string[] unknown = [.. Documents.TableRows(_document).Where(row => row.Length == 4 && row[3].Contains("Format.", StringComparison.Ordinal)).Select(row => row[3]).Where(name => !_constants.ContainsKey(name) && !magics.Contains(name))];
        Assert.Empty(unknown);
    }

    [Theory]
    [InlineData("### Pack header, 64 bytes", PackFormat.HeaderSize)]
    [InlineData("### Pack footer, the last 40 bytes", PackFormat.FooterSize)]
    [InlineData("## Frame", FrameFormat.HeaderSize)]
    [InlineData("### Manifest header, 128 or 160 bytes", ManifestFormat.KeyedHeaderSize)]
    [InlineData("### Manifest footer, the last 48 bytes", ManifestFormat.FooterSize)]
    public void The_fields_of_a_structure_follow_each_other_without_gap_or_overlap(string heading, int size)
    {
        long next = 0;
        foreach (string[] row in Documents.TableRows(Documents.Section(_document, heading)).Where(row => row.Length == 4 && row[1].All(char.IsAsciiDigit) && row[1].Length > 0))
        {
            Assert.Equal(next, Number(row[0]));
            next += Number(row[1]);
        }

        Assert.Equal(size, next);
    }

    [Fact]
    public void The_magics_are_those_of_the_code()
    {
        Span<byte> frame = stackalloc byte[sizeof(uint)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(frame, FrameFormat.MagicValue);
        string[] magics =
        [
            Text(PackFormat.Magic), Text(PackFormat.EndMagic), Text(ManifestFormat.Magic), Text(ManifestFormat.EndMagic), Text(frame),
        ];
        foreach (string magic in magics)
            Assert.Contains(Documents.TableRows(_document), row => row.Length == 4 && row[2].Contains($"magic `{magic}", StringComparison.Ordinal));

        static string Text(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes);
    }

    [Fact]
    public void Codecs_hashes_and_kinds_have_the_numbers_of_the_code()
    {
        string[][] codecs = [.. Documents.TableRows(Documents.Section(_document, "## Codecs")).Skip(1)];
        Assert.Equal(Enum.GetValues<Codec>().Select(codec => ($"{(int)codec}", codec.ToString().ToLowerInvariant())), codecs.Select(row => (row[0], row[1])));

        string[][] hashes = [.. Documents.TableRows(Documents.Section(_document, "## Hashes and keys")).Skip(1)];
        Assert.Equal(
            Enum.GetValues<ChunkHash>().Select(hash => ($"{(int)hash}", $"{ChunkHasher.GetDigestLength(hash)}")),
            hashes.Select(row => (row[0], row[2])));

        string kinds = string.Join(", ", Enum.GetValues<FrameKind>().Select(kind => $"{(int)kind} {kind.ToString().ToLowerInvariant()}"));
        Assert.Contains($"kind: {kinds} |", _document, StringComparison.Ordinal);
    }

    private static long Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? long.Parse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : long.Parse(text, CultureInfo.InvariantCulture);
}
