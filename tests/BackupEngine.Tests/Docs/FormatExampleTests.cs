using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using BackupEngine.Catalog;
using BackupEngine.ObjectStores;
using BackupEngine.TestKit.Volumes;
using Xunit;

namespace BackupEngine.Tests.Docs;

/// <summary>The repository that docs/format-example.md spells out is one: both of its backups restore.</summary>
public sealed partial class FormatExampleTests
{
    private const int ChunkSize = 4096;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_backups_of_the_example_restore_to_the_volumes_it_describes()
    {
        await using BackupRepository repository = await BackupRepository.OpenAsync(await LoadAsync(), cancellationToken: Token);
        IReadOnlyList<Backup> backups = await repository.ListAsync(cancellationToken: Token);
        Assert.Equal(2, backups.Count);
        byte[] full = new byte[4 * ChunkSize];
        full.AsSpan(0, ChunkSize).Fill((byte)'A');
        full.AsSpan(ChunkSize, ChunkSize).Fill((byte)'B');
        "end"u8.CopyTo(full.AsSpan(3 * ChunkSize));
        byte[] incremental = [.. full];
        incremental.AsSpan(0, ChunkSize).Clear();
        incremental[5000] = (byte)'C';

        Assert.Equal(full, await RestoreAsync(repository, backups.Single(backup => !backup.IsIncremental)));
        Assert.Equal(incremental, await RestoreAsync(repository, backups.Single(backup => backup.IsIncremental)));
    }

    [Fact]
    public async Task The_example_verifies_to_the_last_byte()
    {
        await using BackupRepository repository = await BackupRepository.OpenAsync(await LoadAsync(), cancellationToken: Token);
        VerifyReport report = await repository.VerifyAsync(new VerifyOptions { Deep = true }, cancellationToken: Token);
        Assert.Equal(2, report.BackupsChecked);
        Assert.Equal(4, report.PacksChecked);
        Assert.Empty(report.Findings);
    }

    private static async Task<byte[]> RestoreAsync(BackupRepository repository, Backup backup)
    {
        byte[] other = new byte[backup.SizeBytes];
        Array.Fill(other, (byte)0xAA);
        var target = new MemoryVolume(other);
        await repository.RestoreAsync(backup.Id, target, cancellationToken: Token);
        return target.ToArray();
    }

    private static async Task<InMemoryObjectStore> LoadAsync()
    {
        var store = new InMemoryObjectStore();
        MatchCollection objects = StoredObject().Matches(Documents.Read("docs/format-example.md"));
        Assert.Equal(9, objects.Count);
        foreach (Match match in objects)
        {
            string content = match.Groups["content"].Value;
            byte[] bytes = match.Groups["kind"].Value == "json" ? Encoding.UTF8.GetBytes(content.TrimEnd('\n')) : ReadHex(content);
            await store.PutAsync(match.Groups["key"].Value, bytes, cancellationToken: Token);
        }

        return store;
    }

    /// <summary>Reads lines of an offset, bytes, and what they mean; the offset must be that of the bytes.</summary>
    private static byte[] ReadHex(string content)
    {
        var bytes = new List<byte>();
        foreach (string line in content.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('|')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(bytes.Count, int.Parse(parts[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            bytes.AddRange(parts[1..].Select(part => byte.Parse(part, NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        }

        return [.. bytes];
    }

    [GeneratedRegex(@"^`(?<key>[^`\n]+)`\n\n```(?<kind>json|)\n(?<content>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex StoredObject();
}
