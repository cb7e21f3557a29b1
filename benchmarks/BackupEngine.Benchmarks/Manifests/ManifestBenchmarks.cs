using BackupEngine.Benchmarks.Running;
using BackupEngine.Manifests;
using BenchmarkDotNet.Attributes;

namespace BackupEngine.Benchmarks.Manifests;

/// <summary>The manifest object of a volume without holes: pack table, page table, SHA-256. Its pages are in packs and not part of this.</summary>
public class ManifestBenchmarks
{
    private Manifest? _manifest;
    private byte[] _bytes = [];

    [ParamsSource(nameof(VolumeGiBs))]
    public int VolumeGiB { get; set; }

    public static IEnumerable<int> VolumeGiBs => Scale.Select(1024, 16 * 1024);

    [GlobalSetup]
    public void Setup()
    {
        _manifest = SyntheticMap.CreateManifest((long)VolumeGiB << 30);
        _bytes = ManifestEncoder.Encode(_manifest);
        Console.WriteLine($"// the manifest of {VolumeGiB} GiB has {_bytes.Length} bytes");
    }

    [Benchmark]
    public int Encode() => ManifestEncoder.Encode(_manifest!).Length;

    [Benchmark]
    public int Decode() => ManifestDecoder.Decode("manifest", _bytes).Packs.Count;
}
