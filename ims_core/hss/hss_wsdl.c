#include "ims_core/hss/hss_core.h"

/* The service's description has one source, the .wsdl file, and a program
 * that is moved elsewhere still has it: the assembler puts it in here */
__asm__(".pushsection .rodata\n"
	".globl hss_wsdl\n"
	"hss_wsdl:\n"
	".incbin \"ims_core/hss/hss.wsdl\"\n"
	".byte 0\n"
	".popsection\n");
